/** A drawing of each product, made by code: its category gives the shape, its brand the colour, its id the details. */

const WIDTH = 400;
const HEIGHT = 300;

interface Look {
  hue: number;
  /** Differs from product to product, and is always the same for one. */
  seed: number;
}

/** A small hash (FNV-1a), not a secret. */
function hash(text: string): number {
  let sum = 2166136261;
  for (const letter of text) sum = Math.imul(sum ^ letter.codePointAt(0)!, 16777619) >>> 0;
  return sum;
}

const box = (x: number, y: number, width: number, height: number, round: number, fill: string): string =>
  `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="${round}" class="${fill}"/>`;
const dot = (x: number, y: number, radius: number, fill: string): string =>
  `<circle cx="${x}" cy="${y}" r="${radius}" class="${fill}"/>`;
const path = (d: string, fill: string): string => `<path d="${d}" class="${fill}"/>`;
const times = (count: number, draw: (place: number) => string): string => Array.from({ length: count }, (_, place) => draw(place)).join("");

/** A screen that is on: a sun or moon over hills. */
function screen(x: number, y: number, width: number, height: number, round: number, { seed }: Look): string {
  const lift = (share: number) => y + height * share;
  const hills = (from: number, crest: number) =>
    `M${x} ${lift(from)}q${width * 0.25} ${-height * crest} ${width * 0.5} 0t${width * 0.5} 0V${y + height - round}q0 ${round} ${-round} ${round}H${x + round}q${-round} 0 ${-round} ${-round}z`;
  return (
    box(x, y, width, height, round, "sky") +
    dot(x + width * (0.22 + (seed % 7) * 0.09), lift(0.34), height * 0.12, "sun") +
    path(hills(0.62, 0.3 + (seed % 3) * 0.06), "far") +
    path(hills(0.8, 0.14 + (seed % 5) * 0.05), "near")
  );
}

const fan = (x: number, y: number, radius: number, turn: number): string =>
  dot(x, y, radius, "deep") +
  times(7, (place) => {
    const blade = `M0 0C${radius * 0.1} ${-radius * 0.5} ${radius * 0.5} ${-radius * 0.6} ${radius * 0.42} ${-radius * 0.82}C${radius * 0.1} ${-radius * 0.95} ${-radius * 0.2} ${-radius * 0.6} 0 0z`;
    return `<path d="${blade}" transform="translate(${x} ${y}) rotate(${turn + (place * 360) / 7})" class="mid"/>`;
  }) +
  dot(x, y, radius * 0.22, "accent");

function keyboard({ seed }: Look): string {
  const key = (place: number) => {
    const [column, row] = [place % 14, Math.floor(place / 14)];
    const isAccent = place == 0 || place == 27 + (seed % 3) * 14 || (row == 2 && column >= 4 && column <= 6 && seed % 2 == 0);
    return box(61 + column * 20, 112 + row * 21, 17, 17, 4, isAccent ? "accent" : "light");
  };
  return (
    box(46, 98, 308, 118, 16, "body") + times(56, key) +
    box(61, 196, 37, 11, 4, "light") + box(101, 196, 157, 11, 4, seed % 2 ? "accent" : "light") + box(261, 196, 77, 11, 4, "light")
  );
}

const DRAWN: Record<string, (look: Look) => string> = {
  laptops: (look) =>
    box(92, 62, 216, 146, 12, "body") + screen(100, 70, 200, 128, 6, look) +
    path("M58 208h284l-14 18q-3 4-9 4H81q-6 0-9-4z", "light") + path("M168 208h64l-5 7h-54z", "mid"),
  desktops: ({ seed }) =>
    box(130, 40, 140, 204, 14, "body") + box(142, 52, 98, 180, 8, "deep") +
    fan(191, 98, 38, seed % 40) + fan(191, 186, 38, seed % 31) +
    box(250, 56, 6, 172, 3, "accent") + box(146, 244, 28, 8, 3, "mid") + box(226, 244, 28, 8, 3, "mid"),
  monitors: (look) =>
    box(56, 52, 288, 166, 12, "body") + screen(64, 60, 272, 144, 6, look) + path("M182 218h36l8 28h-52z", "mid") + box(140, 244, 120, 9, 4.5, "light"),
  keyboards: keyboard,
  mice: ({ seed }) =>
    path(`M200 66c0-36 ${30 + (seed % 30)}-22 ${60 + (seed % 40)}-46`, "wire") +
    path("M136 140c0-46 24-76 64-76s64 30 64 76v42c0 46-26 72-64 72s-64-26-64-72z", "body") +
    path("M146 138c0-38 18-62 50-64v64zm108 0c0-38-18-62-50-64v64z", "light") +
    box(192, 88, 16, 40, 8, "accent") + path("M176 214q24 16 48 0", "line"),
  headsets: ({ seed }) =>
    path("M104 170v-18a96 96 0 0 1 192 0v18", "band") + path("M122 150a78 78 0 0 1 156 0", "line") +
    box(82, 146, 46, 90, 22, "body") + box(272, 146, 46, 90, 22, "body") + box(114, 154, 26, 74, 13, "accent") + box(260, 154, 26, 74, 13, "accent") +
    (seed % 3 ? path("M104 234c6 26 36 30 66 28", "wire") + box(166, 254, 38, 15, 7.5, "mid") : dot(105, 191, 8, "light") + dot(295, 191, 8, "light")),
  ssds: ({ seed }) =>
    box(46, 102, 308, 96, 10, "body") + box(46, 102, 308, 96, 10, "sheen") + box(70, 118, 74, 64, 5, "deep") + box(154, 118, 74, 64, 5, "deep") +
    box(242, 124, 52, 52, 6, "accent") + box(80, 128, 30 + (seed % 20), 5, 2.5, "mid") + box(164, 128, 24 + (seed % 26), 5, 2.5, "mid") +
    times(8, (place) => box(334, 110 + place * 10 + (place > 4 ? 4 : 0), 20, 6, 1, "gold")) + dot(56, 150, 10, "stage"),
  "graphics-cards": ({ seed }) =>
    box(36, 76, 14, 168, 4, "light") + box(50, 88, 316, 126, 16, "body") + fan(138, 151, 52, seed % 50) + fan(278, 151, 52, seed % 37) +
    box(190, 94, 36, 6, 3, "accent") + box(190, 202, 36, 6, 3, "accent") + box(92, 214, 150, 14, 2, "gold") + box(252, 214, 34, 14, 2, "gold"),
  docks: ({ seed }) =>
    path("M66 164c-58 0-18-88-60-94", "wire") + path("M84 128l24-28h184l24 28z", "mid") + box(66, 126, 268, 76, 14, "body") +
    times(2 + (seed % 2), (place) => box(88 + place * 48, 152, 36, 16, 8, "deep")) +
    box(232, 146, 44, 28, 4, "deep") + dot(302, 160, 9, "accent") + box(92, 202, 26, 6, 3, "mid") + box(282, 202, 26, 6, 3, "mid"),
  webcams: () =>
    box(82, 78, 236, 100, 50, "body") + dot(200, 128, 42, "deep") + dot(200, 128, 27, "sky") + dot(200, 128, 12, "deep") + dot(190, 117, 6, "sun") +
    dot(286, 128, 7, "accent") + times(3, (place) => box(112, 116 + place * 10, 28, 4, 2, "light")) +
    path("M182 178h36l8 40h38q8 0 8 8v16H128v-16q0-8 8-8h38z", "mid"),
};

/** How far down a thing reaches: there its shadow lies. */
const FOOT: Record<string, number> = { laptops: 230, mice: 256, keyboards: 220, ssds: 204, "graphics-cards": 232, docks: 212, webcams: 246 };

const parcel = (): string =>
  box(110, 90, 180, 150, 10, "mid") + box(110, 90, 180, 44, 10, "light") + box(184, 90, 32, 150, 0, "accent");

/** The picture as SVG. No part of what is asked for stands in it. */
export function picture(category: string, brand: string, id: string): string {
  const hue = hash(brand) % 360;
  const draw = Object.hasOwn(DRAWN, category) ? DRAWN[category]! : parcel;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}"><style>
.body{fill:hsl(${hue} 16% 30%)}.deep{fill:hsl(${hue} 22% 15%)}.mid{fill:hsl(${hue} 10% 52%)}.light{fill:hsl(${hue} 16% 78%)}
.accent{fill:hsl(${hue} 68% 58%)}.gold{fill:#d9a441}.sun{fill:#ffe6b0}.sky{fill:url(#s)}.far{fill:hsl(${hue} 48% 44%)}.near{fill:hsl(${hue} 46% 27%)}
.sheen{fill:url(#g)}.stage{fill:#8884}.shade{fill:#0002}.wire,.band,.line{fill:none;stroke:hsl(${hue} 12% 46%);stroke-width:6;stroke-linecap:round}.band{stroke-width:15;stroke:hsl(${hue} 14% 36%)}.line{stroke-width:4}
</style><defs><linearGradient id="s" x2="1" y2="1"><stop stop-color="hsl(${(hue + 30) % 360} 62% 66%)"/><stop offset="1" stop-color="hsl(${hue} 58% 48%)"/></linearGradient><linearGradient id="g" x2="1" y2="1"><stop stop-color="#fff" stop-opacity=".18"/><stop offset=".5" stop-color="#fff" stop-opacity="0"/></linearGradient></defs><ellipse cx="200" cy="${FOOT[category] ?? 255}" rx="150" ry="8" class="shade"/>${draw({ hue, seed: hash(id) })}</svg>`;
}
