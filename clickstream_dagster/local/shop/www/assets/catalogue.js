/** What the shop sells, and how it is found. */
const answer = await fetch("/shop/catalogue.json");
export const { products, categories } = await answer.json();

/** What people call things, beside what is written on them. */
const ALSO = {
  Laptops: "notebook computer inch",
  Desktops: "pc computer gaming",
  Monitors: "screen display",
  Keyboards: "mechanical wireless ergonomic",
  Mice: "mouse wireless gaming",
  Headsets: "headphones noise cancelling usb",
  SSDs: "drive nvme external storage",
  "Graphics cards": "gpu video gaming",
  Docks: "usb-c thunderbolt docking",
  Webcams: "camera video",
};
const wordsOf = (text) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
/** Also as one word, since some write "240hz" and some "240 Hz". */
const index = products.map(({ name, category, ...rest }) => {
  const words = wordsOf(`${name} ${category} ${rest.brand} ${ALSO[category]}`);
  const pairs = words.map((word, place) => word + (words[place + 1] ?? ""));
  return [...words, ...pairs];
});

/** The products that have each word of the query, at least at the beginning of one of theirs. */
export function search(query) {
  const asked = wordsOf(query);
  if (!asked[0]) return [];
  return products.filter((_, place) => asked.every((word) => index[place].some((own) => own.startsWith(word))));
}
