// Keeps the document's own language the one its reader reads; nothing is drawn.
export default function ({ data }) {
  document.documentElement.lang = data.language;
}
