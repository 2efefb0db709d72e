// Measures the drawn page, for the test: what overflows, what is cut off, which labels overlap, which text is too pale.
"use strict";
const numbers = (color) => color.match(/[\d.]+/g).map(Number);
const luminance = (color) => {
  const [r, g, b] = numbers(color).slice(0, 3).map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = (element) => {
  for (let each = element; each; each = each.parentElement) {
    const color = getComputedStyle(each).backgroundColor;
    if (numbers(color)[3] !== 0) return color;
  }
  return "rgb(255, 255, 255)";
};
const contrast = (text, element) => {
  const [high, low] = [luminance(text), luminance(ground(element))].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
};
const named = (element) => `${element.closest("section")?.id}: ${element.textContent.trim().slice(0, 60)}`;
const shown = (element) => element.checkVisibility() && element.getBoundingClientRect().width > 0;

function measure() {
  const found = {overflowing: [], cut: [], overlapping: [], pale: [], texts: 0};
  for (const section of document.querySelectorAll("section")) {
    const right = section.getBoundingClientRect().right;
    for (const element of section.querySelectorAll("*")) {
      const unfolded = !element.closest("details, svg");
      if (unfolded && shown(element) && element.getBoundingClientRect().right > right) {
        found.overflowing.push(named(element));
      }
    }
  }
  for (const svg of document.querySelectorAll("svg")) {
    const frame = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")].filter((text) => text.textContent && shown(text));
    const boxes = texts.map((text) => text.getBoundingClientRect());
    found.texts += texts.length;
    texts.forEach((text, one) => {
      const a = boxes[one];
      if (a.left < frame.left - 1 || a.right > frame.right + 1 || a.top < frame.top - 1) found.cut.push(named(text));
      if (contrast(getComputedStyle(text).fill, svg) < 4.5) found.pale.push(named(text));
      for (let two = one + 1; two < texts.length; two += 1) {
        const b = boxes[two];
        const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (across > 1 && down > 3) found.overlapping.push(`${named(text)} / ${texts[two].textContent}`);
      }
    });
  }
  for (const element of document.querySelectorAll("main *:not(svg, svg *)")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (own && shown(element) && contrast(getComputedStyle(element).color, element) < 4.5) found.pale.push(named(element));
  }
  const root = document.documentElement;
  found.width = window.innerWidth;
  found.needed = root.scrollWidth;
  found.dark = luminance(getComputedStyle(document.body).backgroundColor) < 0.1;
  root.dataset.measured = JSON.stringify(found);
}

new MutationObserver((_, observer) => {
  if (!document.documentElement.dataset.drawn) return;
  observer.disconnect();
  requestAnimationFrame(measure);
}).observe(document.documentElement, {attributes: true});
