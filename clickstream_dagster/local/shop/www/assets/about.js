/** What the shop says of each category. */
export const ABOUT = {
  Laptops: ["Opens in a blink, lasts a working day, and stays quiet on your knees.", ["16 GB memory", "1 TB SSD", "Three years of repairs"]],
  Desktops: ["Room inside, air throughout, and nothing you would need a special screwdriver for.", ["32 GB memory", "2 TB SSD", "Opens without tools"]],
  Monitors: ["Even light from edge to edge, and a stand that goes where you look.", ["Turns upright", "USB-C, one cable", "No glare"]],
  Keyboards: ["Every key where your fingers expect it, for ten million presses each.", ["Switches can be changed", "Caps that keep their print", "Cable or none"]],
  Mice: ["Light, exact, and shaped like a hand.", ["80 hours on a charge", "Glides on glass", "Left and right"]],
  Headsets: ["Hear the room when you want to, and only then.", ["40 hours on a charge", "Microphone folds away", "Pads can be washed"]],
  SSDs: ["Fast on the first day and on the thousandth.", ["5,000 MB/s", "Five years of warranty", "Runs cool"]],
  "Graphics cards": ["Frames to spare, fans that stop when there is nothing to do.", ["Quiet at full load", "Four displays", "Fits common cases"]],
  Docks: ["One cable to the desk, everything else stays plugged in.", ["Charges with 96 W", "Two displays", "Card reader"]],
  Webcams: ["You, in focus, in the light you have.", ["Shutter for the lens", "Two microphones", "Fits any screen"]],
};
