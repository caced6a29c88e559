/** The shop's own words about its categories. One that is not here has none, and is sold all the same. */

/** What people call things, beside what is written on them. */
export const ALSO: Record<string, string[]> = {
  Laptops: ["notebook", "computer", "inch"],
  Desktops: ["pc", "computer", "gaming"],
  Monitors: ["screen", "display"],
  Keyboards: ["mechanical", "wireless", "ergonomic"],
  Mice: ["mouse", "wireless", "gaming"],
  Headsets: ["headset", "headphones", "noise", "cancelling"],
  SSDs: ["drive", "nvme", "external", "storage"],
  "Graphics cards": ["gpu", "video", "gaming"],
  Docks: ["usb", "thunderbolt", "docking", "hub"],
  Webcams: ["camera", "video"],
};

interface Words {
  line: string;
  points: string[];
}

export const ABOUT: Record<string, Words> = {
  Laptops: {
    line: "Opens in a blink, lasts a working day, and stays quiet on your knees.",
    points: ["16 GB memory", "1 TB SSD", "Three years of repairs"],
  },
  Desktops: {
    line: "Room inside, air throughout, and nothing you would need a special screwdriver for.",
    points: ["32 GB memory", "2 TB SSD", "Opens without tools"],
  },
  Monitors: {
    line: "Even light from edge to edge, and a stand that goes where you look.",
    points: ["Turns upright", "USB-C, one cable", "No glare"],
  },
  Keyboards: {
    line: "Every key where your fingers expect it, for ten million presses each.",
    points: ["Switches can be changed", "Caps that keep their print", "Cable or none"],
  },
  Mice: {
    line: "Light, exact, and shaped like a hand.",
    points: ["80 hours on a charge", "Glides on glass", "Left and right"],
  },
  Headsets: {
    line: "Hear the room when you want to, and only then.",
    points: ["40 hours on a charge", "Microphone folds away", "Pads can be washed"],
  },
  SSDs: {
    line: "Fast on the first day and on the thousandth.",
    points: ["5,000 MB/s", "Five years of warranty", "Runs cool"],
  },
  "Graphics cards": {
    line: "Frames to spare, fans that stop when there is nothing to do.",
    points: ["Quiet at full load", "Four displays", "Fits common cases"],
  },
  Docks: {
    line: "One cable to the desk, everything else stays plugged in.",
    points: ["Charges with 96 W", "Two displays", "Card reader"],
  },
  Webcams: {
    line: "You, in focus, in the light you have.",
    points: ["Shutter for the lens", "Two microphones", "Fits any screen"],
  },
};
