// Draws nothing: has the script draw the part of the page around it anew when what that part shows has changed.
import { part } from "./account.mjs";

function build(root, data, place) {
  let asked = data.seen;
  return ({ told }) => {
    const now = told.seen?.[data.part] ?? "";
    if (now === asked) return;
    asked = now;
    place.args.setStateValue("changed", now);
  };
}

export default part("follow", build);
