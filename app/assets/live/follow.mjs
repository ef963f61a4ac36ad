// Draws nothing: has the script draw the part of the page around it anew when what that part shows has changed.
// A wish can be lost while the script runs for another, so it is made again, a few times and not at once.
import { part } from "./account.mjs";

const AGAIN = 3000; // ms
const TRIES = 3;

function build(root, data, place) {
  let asked = data.seen, tries = 0, at = 0;
  return ({ told }) => {
    const now = told.seen?.[data.part] ?? "";
    if (now !== asked) [asked, tries, at] = [now, 0, 0];
    if (now === data.seen || tries >= TRIES || Date.now() - at < AGAIN) return;
    tries += 1;
    at = Date.now();
    // the same value a second time would be no change
    place.args.setStateValue("changed", `${now} ${at}`);
  };
}

export default part("follow", build);
