/** The shop's own words about its categories. One that is not here has none, and is sold all the same. */

/** Category: a line, its points, and what people call such things beside what is written on them. */
const WORDS: Record<string, [line: string, points: string, also: string]> = {
  Laptops: [
    "Opens in a blink, lasts a working day, and stays quiet on your knees.",
    "16 GB memory; 1 TB SSD; Three years of repairs",
    "notebook computer inch",
  ],
  Desktops: [
    "Room inside, air throughout, and nothing that needs a special screwdriver.",
    "32 GB memory; 2 TB SSD; Opens without tools",
    "pc computer gaming",
  ],
  Monitors: [
    "Even light from edge to edge, and a stand that goes where you look.",
    "Turns upright; USB-C, one cable; No glare",
    "screen display",
  ],
  Keyboards: [
    "Every key where your fingers expect it, for ten million presses each.",
    "Switches can be changed; Caps that keep their print; Cable or none",
    "mechanical wireless ergonomic",
  ],
  Mice: ["Light, exact, and shaped like a hand.", "80 hours on a charge; Glides on glass; Left and right", "mouse wireless gaming"],
  Headsets: [
    "Hear the room when you want to, and only then.",
    "40 hours on a charge; Microphone folds away; Pads can be washed",
    "headset headphones noise cancelling",
  ],
  SSDs: [
    "Fast on the first day and on the thousandth.",
    "5,000 MB/s; Five years of warranty; Runs cool",
    "drive nvme external storage",
  ],
  "Graphics cards": [
    "Frames to spare, fans that stop when there is nothing to do.",
    "Quiet at full load; Four displays; Fits common cases",
    "gpu video gaming",
  ],
  Docks: [
    "One cable to the desk, everything else stays plugged in.",
    "Charges with 96 W; Two displays; Card reader",
    "usb thunderbolt docking hub",
  ],
  Webcams: ["You, in focus, in the light you have.", "Shutter for the lens; Two microphones; Fits any screen", "camera video"],
};

export const lineOf = (category: string): string => WORDS[category]?.[0] ?? "";
export const pointsOf = (category: string): string[] => WORDS[category]?.[1].split("; ") ?? [];
export const calledSo = (word: string): string[] =>
  Object.keys(WORDS).filter((category) => WORDS[category]![2].split(" ").includes(word));
