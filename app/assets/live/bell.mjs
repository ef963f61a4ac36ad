// The bell: how much the person was told and has not seen, and the way to it.
import { make, part, write } from "./account.mjs";

function build(root, data) {
  const count = make("span", { class: "count" });
  const sign = make("i", { class: "icon", "aria-hidden": "true" }, "notifications");
  const link = make("a", { href: data.address, title: data.text.bell }, sign, count);
  root.append(link);
  count.hidden = true;
  return ({ told }) => {
    const unseen = data.read_only ? 0 : (told.bell ?? 0);
    count.hidden = !unseen;
    write(count, unseen >= data.most ? `${data.most - 1}+` : String(unseen), "count");
    link.setAttribute("aria-label", unseen ? `${data.text.bell}: ${count.textContent}` : data.text.bell);
  };
}

export default part("bell", build);
