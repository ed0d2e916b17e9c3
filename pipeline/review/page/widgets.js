// ---- Building blocks: elements, a list that draws only what is seen, a box with suggestions, pages of rows. ----

// An element with attributes and children; strings become text nodes, so that no text is ever markup.
function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "hue") element.style.setProperty("--hue", `var(--hue-${value})`);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child || child === 0));
  return element;
}

// Text of a story in a place of its own, so that its writing direction stays inside; controls are shown as such.
const shown = (text) => text.replace(/\r\n?/g, "\n").replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
const bdi = (text, attributes = {}) => el("bdi", attributes, shown(String(text)));

// A list of any length in a scrolling box: role listbox, rows of one height, only those in sight are in the page.
class LongList {
  constructor(box, { height, row, open }) {
    Object.assign(this, { box, height, row, open, count: 0, active: -1, drawn: new Map() });
    this.space = el("div", { class: "space", role: "presentation" });
    box.append(this.space);
    box.addEventListener("scroll", () => this.draw(), { passive: true });
    box.addEventListener("keydown", (event) => this.key(event));
    box.addEventListener("focus", () => this.active < 0 && this.count && this.choose(0, false));
    box.addEventListener("click", (event) => {
      const row = event.target.closest("[role=option]");
      if (row) this.choose(Number(row.dataset.row), true);
    });
    new ResizeObserver(() => this.draw()).observe(box);
  }

  show(count, active = -1) {
    this.count = count;
    this.space.style.height = `${count * this.height}px`;
    for (const row of this.drawn.values()) row.remove();
    this.drawn.clear();
    this.active = active;
    if (active < 0) this.box.scrollTop = 0;
    else this.reveal(active);
    this.draw();
    this.point();
  }

  draw() {
    const top = this.box.scrollTop;
    const first = Math.max(0, Math.floor(top / this.height) - 4);
    const last = Math.min(this.count - 1, Math.ceil((top + this.box.clientHeight) / this.height) + 4);
    for (const [n, row] of this.drawn) {
      if (n < first || n > last) {
        row.remove();
        this.drawn.delete(n);
      }
    }
    for (let n = first; n <= last; n++) {
      if (this.drawn.has(n)) continue;
      const row = el("div", {
        role: "option", class: "row", id: `${this.box.id}-${n}`, "data-row": n,
        "aria-setsize": this.count, "aria-posinset": n + 1, "aria-selected": String(n === this.active),
      }, this.row(n));
      row.style.transform = `translateY(${n * this.height}px)`;
      row.style.height = `${this.height}px`;
      // Rows stay in reading order, whichever way the list was scrolled.
      const next = [...this.space.children].find((other) => Number(other.dataset.row) > n);
      this.space.insertBefore(row, next ?? null);
      this.drawn.set(n, row);
    }
  }

  reveal(n) {
    const top = n * this.height;
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    else if (top + this.height > this.box.scrollTop + this.box.clientHeight) {
      this.box.scrollTop = top + this.height - this.box.clientHeight;
    }
  }

  point() {
    for (const [n, row] of this.drawn) row.setAttribute("aria-selected", String(n === this.active));
    if (this.drawn.has(this.active)) this.box.setAttribute("aria-activedescendant", `${this.box.id}-${this.active}`);
    else this.box.removeAttribute("aria-activedescendant");
  }

  choose(n, certain) {
    if (!this.count) return;
    this.active = Math.max(0, Math.min(this.count - 1, n));
    this.reveal(this.active);
    this.draw();
    this.point();
    this.open(this.active, certain);
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.box.clientHeight / this.height) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in steps) this.choose(this.active < 0 ? 0 : this.active + steps[event.key], false);
    else if (event.key === "Enter" || event.key === " ") this.choose(Math.max(this.active, 0), true);
    else return;
    event.preventDefault();
  }
}

// An input with suggestions (role combobox). `suggest(words)` gives [[value, label, detail, count]].
class ComboBox {
  constructor(input, { suggest, change, labelOf }) {
    Object.assign(this, { input, suggest, change, labelOf, value: "", rows: [], active: -1 });
    this.list = el("ul", { role: "listbox", id: `${input.id}-list`, class: "suggestions", hidden: true });
    this.list.setAttribute("aria-label", `${input.labels[0].textContent} suggestions`);
    for (const [key, value] of Object.entries({
      role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": this.list.id,
      autocomplete: "off", spellcheck: "false",
    })) input.setAttribute(key, value);
    input.after(this.list);
    input.addEventListener("focus", () => input.select());
    input.addEventListener("click", () => this.update());
    input.addEventListener("input", () => this.update());
    input.addEventListener("keydown", (event) => this.key(event));
    input.addEventListener("blur", () => this.leave());
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const row = event.target.closest("[role=option]");
      if (row) this.pick(this.rows[Number(row.dataset.row)]);
    });
  }

  set(value) {
    this.value = value ?? "";
    this.input.value = this.value ? this.labelOf(this.value) : "";
    this.input.classList.toggle("on", Boolean(this.value));
  }

  update() {
    const words = this.input.value === this.labelOf(this.value) ? "" : this.input.value;
    this.rows = this.suggest(words);
    this.list.replaceChildren(
      ...this.rows.map(([, label, detail, count], n) =>
        el("li", { role: "option", id: `${this.list.id}-${n}`, "data-row": n, "aria-selected": "false" },
          bdi(label), detail && el("span", { class: "muted" }, detail), el("span", { class: "number muted" }, count.toLocaleString("en")))),
    );
    if (!this.rows.length) this.list.append(el("li", { class: "muted" }, "Nothing like that in these stories"));
    this.active = -1;
    this.open(true);
  }

  open(yes) {
    this.list.hidden = !yes;
    this.input.setAttribute("aria-expanded", String(yes));
    if (!yes) this.input.removeAttribute("aria-activedescendant");
  }

  key(event) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (this.list.hidden) this.update();
      else this.point(this.active + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter") {
      if (this.list.hidden) return;
      const first = this.active < 0 && this.input.value.trim() ? 0 : this.active;
      if (!this.input.value.trim()) this.pick(null);
      else if (this.rows[first]) this.pick(this.rows[first]);
    } else if (event.key === "Escape") {
      if (this.list.hidden) return;
      this.set(this.value);
      this.open(false);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  point(n) {
    const rows = this.list.querySelectorAll("[role=option]");
    if (!rows.length) return;
    this.active = (n + rows.length) % rows.length;
    rows.forEach((row, k) => row.setAttribute("aria-selected", String(k === this.active)));
    rows[this.active].scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", rows[this.active].id);
  }

  pick(row) {
    this.set(row ? row[0] : "");
    this.open(false);
    this.change(this.value);
  }

  leave() {
    this.open(false);
    if (!this.input.value.trim() && this.value) this.pick(null);
    else this.set(this.value);
  }
}

// Rows in pages of fifty: `draw(first, last)` gives the elements of the rows [first, last), perhaps in a while.
class Pages {
  constructor(box, { draw, size = 50, label }) {
    Object.assign(this, { box, draw, size, label, count: 0, page: 0, turn: 0 });
  }

  async show(count, page = 0, back = false) {
    this.count = count;
    this.page = page;
    const turn = ++this.turn;
    const pages = Math.max(1, Math.ceil(count / this.size));
    const first = page * this.size;
    const drawn = await this.draw(first, Math.min(count, first + this.size));
    if (turn !== this.turn) return; // Another page was asked for in the meantime.
    const go = (to) => () => this.show(count, to, true);
    const button = (text, name, to, off) =>
      el("button", { type: "button", class: "quiet", "aria-label": `${name}, ${this.label}`, disabled: off, onclick: go(to) }, text);
    const bar = pages > 1 && el("nav", { class: "pages", "aria-label": `Pages of ${this.label}` },
      button("«", "First page", 0, page === 0), button("‹", "Previous page", page - 1, page === 0),
      el("span", { role: "status" }, `${(first + 1).toLocaleString("en")}–${Math.min(count, first + this.size).toLocaleString("en")} of ${count.toLocaleString("en")}`),
      button("›", "Next page", page + 1, page >= pages - 1), button("»", "Last page", pages - 1, page >= pages - 1));
    const held = back && document.activeElement?.getAttribute("aria-label");
    this.box.replaceChildren(...[drawn, bar].filter(Boolean));
    if (back) {
      this.box.scrollIntoView({ block: "nearest" });
      const again = held && [...this.box.querySelectorAll("button")].find((b) => b.getAttribute("aria-label") === held);
      if (again && !again.disabled) again.focus();
      else this.box.querySelector(".pages button:not(:disabled)")?.focus();
    }
  }
}

// A table: heads are strings, or [string, class]; cells are strings, elements or lists of them. Roles are given in
// words, since a narrow page lays rows out as blocks, and browsers then forget that they are a table.
function table(caption, heads, rows) {
  const classes = heads.map((head) => (Array.isArray(head) ? head[1] : null));
  const names = heads.map((head) => (Array.isArray(head) ? head[0] : head));
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    el("table", { role: "table", "aria-label": caption },
      el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, names.map((name, n) => el("th", { role: "columnheader", scope: "col", class: classes[n] }, name || el("span", { class: "unseen" }, "Number"))))),
      el("tbody", { role: "rowgroup" }, rows.map((cells) => el("tr", { role: "row" }, cells.map((cell, n) => el("td", { role: "cell", class: classes[n], "data-head": names[n] }, cell)))))));
}

// The card that tells what a mark is: shown on hover and on focus, stays while pointed at, gone with Escape.
const card = {
  box: document.getElementById("card"),
  timer: 0,
  owner: null,
  show(owner, content) {
    clearTimeout(this.timer);
    if (this.owner === owner) return;
    this.hide();
    this.owner = owner;
    this.box.replaceChildren(...content);
    this.box.hidden = false;
    owner.setAttribute("aria-describedby", "card");
    this.place();
  },
  place() {
    const owner = this.owner;
    const at = owner.getClientRects()[0] ?? owner.getBoundingClientRect();
    const size = this.box.getBoundingClientRect();
    const room = { width: document.documentElement.clientWidth, height: document.documentElement.clientHeight };
    const below = at.bottom + 6 + size.height < room.height;
    this.box.style.left = `${Math.max(8, Math.min(at.left, room.width - size.width - 8))}px`;
    this.box.style.top = `${Math.max(8, below ? at.bottom + 6 : at.top - size.height - 6)}px`;
  },
  fade() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.hide(), 180);
  },
  hide() {
    clearTimeout(this.timer);
    this.owner?.removeAttribute("aria-describedby");
    this.owner?.dispatchEvent(new CustomEvent("cardgone", { bubbles: true }));
    this.owner = null;
    this.box.hidden = true;
  },
};
card.box.addEventListener("pointerenter", () => clearTimeout(card.timer));
card.box.addEventListener("pointerleave", () => card.fade());
document.addEventListener("keydown", (event) => event.key === "Escape" && card.hide());
document.addEventListener("scroll", () => {
  if (!card.owner) return;
  // What is pointed at or focused keeps its card while it moves; what has moved away loses it.
  if (card.owner === document.activeElement || card.owner.matches(":hover")) card.place();
  else card.hide();
}, { capture: true, passive: true });
