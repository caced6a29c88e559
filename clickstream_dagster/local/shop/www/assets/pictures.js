/** A drawing for each category, in the colour of the brand. Nothing is downloaded. */
import { html } from "./html.js";

const keys = (left, top, columns, rows) =>
  Array.from({ length: columns * rows }, (_, place) => {
    const [column, row] = [place % columns, Math.floor(place / columns)];
    const kind = (column + row * 3) % 11 == 0 ? "a" : "c";
    return html`<rect class="${kind}" x="${left + column * 14.6}" y="${top + row * 14}" width="11.6" height="11" rx="2.5"/>`;
  });
const fan = (x, y, radius) => html`<circle class="d" cx="${x}" cy="${y}" r="${radius}"/>
  ${[0, 60, 120, 180, 240, 300].map((turn) => html`<path class="c" transform="rotate(${turn} ${x} ${y})"
    d="M${x} ${y}q${radius * 0.55} ${-radius * 0.35} ${radius * 0.3} ${-radius * 0.85}q${-radius * 0.5} ${radius * 0.1} ${-radius * 0.3} ${radius * 0.85}z"/>`)}
  <circle class="a" cx="${x}" cy="${y}" r="${radius * 0.2}"/>`;
const wave = (x, y, width, height) => html`<path class="a" d="M${x} ${y + height * 0.7}c${width * 0.25} ${-height * 0.5} ${width * 0.4} ${height * 0.25} ${width * 0.6} ${-height * 0.1}s${width * 0.3} ${-height * 0.35} ${width * 0.4} ${-height * 0.2}v${height * 0.6}h${-width}z"/>`;

const DRAWN = {
  Laptops: html`<rect class="b" x="56" y="30" width="128" height="88" rx="8"/><rect class="d" x="62" y="36" width="116" height="76" rx="3"/>
    <circle class="e" cx="150" cy="58" r="9"/>${wave(62, 36, 116, 76)}<path class="c" d="M36 120h168l-6 12a6 6 0 0 1-5 3H47a6 6 0 0 1-5-3z"/><path class="b" d="M102 120h36l-3 5h-30z"/>`,
  Desktops: html`<rect class="b" x="78" y="18" width="84" height="138" rx="9"/><rect class="d" x="86" y="26" width="68" height="122" rx="5"/>
    ${fan(120, 58, 25)}${fan(120, 114, 25)}<rect class="a" x="146" y="30" width="4" height="114" rx="2"/><path class="c" d="M84 156h18v6H84zm54 0h18v6h-18z"/>`,
  Monitors: html`<rect class="b" x="28" y="24" width="184" height="108" rx="8"/><rect class="d" x="34" y="30" width="172" height="92" rx="3"/>
    <circle class="e" cx="172" cy="54" r="11"/>${wave(34, 30, 172, 92)}<path class="c" d="M108 132h24l4 20h-32z"/><rect class="c" x="82" y="151" width="76" height="7" rx="3.5"/>`,
  Keyboards: html`<rect class="b" x="20" y="52" width="200" height="82" rx="10"/>${keys(28.5, 60, 13, 4)}
    <rect class="c" x="28.5" y="117" width="40" height="10" rx="2.5"/><rect class="a" x="72" y="117" width="86" height="10" rx="2.5"/><rect class="c" x="162" y="117" width="49" height="10" rx="2.5"/>`,
  Mice: html`<path class="line" d="M120 40c0-22 30-20 46-28"/><path class="b" d="M78 84c0-30 18-46 42-46s42 16 42 46v30c0 30-18 48-42 48s-42-18-42-48z"/>
    <path class="c" d="M84 84c0-25 14-39 33-40v44H84zm72 0c0-25-14-39-33-40v44h33z"/><rect class="a" x="114" y="54" width="12" height="28" rx="6"/><path class="a" d="M112 138h16l-8 10z"/>`,
  Headsets: html`<path class="band" d="M62 102V88a58 58 0 0 1 116 0v14"/><rect class="b" x="46" y="86" width="32" height="58" rx="15"/><rect class="b" x="162" y="86" width="32" height="58" rx="15"/>
    <rect class="a" x="66" y="92" width="18" height="46" rx="9"/><rect class="a" x="156" y="92" width="18" height="46" rx="9"/><path class="line" d="M60 142c2 16 22 18 40 18"/><rect class="c" x="98" y="152" width="30" height="15" rx="7.5"/>`,
  SSDs: html`<rect class="b" x="22" y="62" width="196" height="58" rx="6"/><rect class="d" x="38" y="72" width="46" height="38" rx="3"/><rect class="d" x="92" y="72" width="46" height="38" rx="3"/>
    <rect class="a" x="146" y="76" width="30" height="30" rx="3"/><path class="e" d="M206 66h12v6h-12zm0 9h12v6h-12zm0 9h12v6h-12zm0 17h12v6h-12zm0 9h12v6h-12z"/><circle class="c" cx="27" cy="91" r="7"/><path class="c" d="M44 80h34v3H44zm0 8h24v3H44zm54-8h34v3H98zm0 8h24v3H98z"/>`,
  "Graphics cards": html`<rect class="c" x="16" y="38" width="9" height="112" rx="2"/><rect class="b" x="25" y="46" width="196" height="80" rx="9"/>
    ${fan(80, 86, 33)}${fan(164, 86, 33)}<path class="e" d="M52 126h92v9H52zm98 0h22v9h-22z"/><rect class="a" x="112" y="50" width="20" height="4" rx="2"/>`,
  Docks: html`<path class="line" d="M40 96C8 96 30 44 6 40"/><path class="b" d="M40 78l14-18h132l14 18z"/><rect class="c" x="36" y="76" width="168" height="46" rx="8"/>
    <rect class="d" x="50" y="90" width="26" height="11" rx="5.5"/><rect class="d" x="86" y="90" width="26" height="11" rx="5.5"/><rect class="d" x="122" y="88" width="30" height="16" rx="2"/><circle class="d" cx="168" cy="96" r="7"/><circle class="a" cx="188" cy="96" r="4"/><path class="b" d="M52 122h16v7H52zm120 0h16v7h-16z"/>`,
  Webcams: html`<rect class="b" x="44" y="44" width="152" height="62" rx="31"/><circle class="d" cx="120" cy="75" r="25"/><circle class="a" cx="120" cy="75" r="14"/><circle class="e" cx="114" cy="69" r="4.5"/>
    <circle class="c" cx="172" cy="75" r="5"/><path class="c" d="M70 68h18v3H70zm0 7h18v3H70zm0 7h18v3H70z"/><path class="c" d="M108 106h24l6 24h26a5 5 0 0 1 5 5v9H71v-9a5 5 0 0 1 5-5h26z"/>`,
};

export const picture = ({ category, brand = "Kestrion" }) =>
  html`<svg class="picture brand-${brand.toLowerCase()}" viewBox="0 0 240 180" aria-hidden="true">${DRAWN[category]}</svg>`;
