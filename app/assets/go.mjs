// Goes to an address as a link does; nothing is drawn. A page switched by a fragment's run now and then stayed blank.
export default function ({ data }) {
  location.assign(data.address);
}
