"use strict";

// ---- The run as the page holds it: an index of every story, and chunks decoded when they are looked at. ----

const DAY = 86_400_000;
const KEPT_CHUNKS = 24;
const KEPT_CHARACTERS = 150_000_000; // Folded texts kept for the next search, some 150 MB at most.

function bytesOf(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

async function inflate(element) {
  const stream = new Blob([bytesOf(element.textContent.trim())]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

const unpacked = async (id) => JSON.parse(await inflate(document.getElementById(id)));

// Text without case, accents and typographic marks, unit for unit: offsets into it are offsets into the text.
const foldedUnits = new Map();
function foldUnit(unit) {
  let folded = foldedUnits.get(unit);
  if (folded === undefined) {
    const bare = unit.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
    folded = bare.length === 1 ? bare : unit;
    if (/\s/.test(unit)) folded = " ";
    else if (/[‘’‚‛′`´]/.test(unit)) folded = "'";
    else if (/[“”„‟″«»]/.test(unit)) folded = '"';
    else if (/[‐‑‒–—−]/.test(unit)) folded = "-";
    foldedUnits.set(unit, folded);
  }
  return folded;
}
const fold = (text) => text.replace(/[^\x20-\x7e]/g, foldUnit).toLowerCase();

// "a phrase", word, -without: terms that must, and must not, be there.
function terms(query) {
  const wanted = [];
  const unwanted = [];
  for (const [, minus, phrase, word] of fold(query).matchAll(/(-?)(?:"([^"]*)"?|([^\s"]+))/g)) {
    const term = (phrase ?? word).trim();
    if (term) (minus ? unwanted : wanted).push(pattern(term));
  }
  return { wanted, unwanted };
}
// Blanks of a phrase stand for any run of blanks, as lines of the wire are broken anywhere.
const pattern = (term) => new RegExp(term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/ +/g, " +"), "g");
const has = (text, regex) => ((regex.lastIndex = 0), regex.test(text));

class Store {
  // `packed` has the elements of the texts and of the annotations, one of each a chunk.
  constructor(index, packed) {
    Object.assign(this, index);
    this.size = index.ids.length;
    this.packed = packed;
    this.kept = new Map();
    this.haystacks = new Map();
    this.haystackSize = 0;
    this.numbers = new Map(index.ids.map((id, n) => [id, n]));
    // A topic counts for all that stand above it in the tree.
    this.codes = this.topics.map((list) => [...new Set(list.flatMap((path) => this.paths[path]))]);
    this.speakerNumbers = new Map(this.speakers.map((name, n) => [name, n]));
    this.entityNumbers = new Map(this.entities.map((name, n) => [name, n]));
    this.storiesOf = new Uint32Array(this.entities.length);
    for (const names of this.names) for (const name of names) this.storiesOf[name]++;
  }

  chunkOf(story) {
    let low = 0;
    let high = this.firsts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.firsts[middle] <= story) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  // The texts of a chunk, or its annotations as a line of JSON a story: parsed are only those looked at.
  chunk(kind, number) {
    const key = `${kind} ${number}`;
    let found = this.kept.get(key);
    if (found) this.kept.delete(key);
    else {
      found = inflate(this.packed[kind][number]).then((data) => (kind === "texts" ? JSON.parse(data) : data.split("\n")));
      if (this.kept.size >= KEPT_CHUNKS) this.kept.delete(this.kept.keys().next().value);
    }
    this.kept.set(key, found);
    return found;
  }

  async story(number) {
    const c = this.chunkOf(number);
    const [texts, lines] = await Promise.all([this.chunk("texts", c), this.chunk("annotations", c)]);
    const place = number - this.firsts[c];
    return { number, text: texts[place], ...JSON.parse(lines[place]) };
  }

  haystack(story, text) {
    let folded = this.haystacks.get(story);
    if (folded === undefined) {
      const facts = [this.title[story], this.ids[story], this.agencies[this.agency[story]], this.places[this.place[story]]];
      folded = fold(`${facts.join("\n")}\n${text}`);
      if (this.haystackSize < KEPT_CHARACTERS) {
        this.haystacks.set(story, folded);
        this.haystackSize += folded.length;
      }
    }
    return folded;
  }

  // Those of `stories` that the facets let through, `except` for one of them.
  sift(stories, filters, except) {
    const on = (kind) => kind !== except && filters[kind];
    const speaker = on("speaker") ? this.speakerNumbers.get(filters.speaker) ?? -2 : null;
    const name = on("name") ? this.entityNumbers.get(filters.name) ?? -2 : null;
    const topic = on("topic") || null;
    return stories.filter((n) =>
      (speaker === null || this.said[n].includes(speaker)) &&
      (name === null || this.names[n].includes(name)) &&
      (topic === null || this.codes[n].includes(topic)));
  }

  // Stories of these days with these words. Texts are read a chunk at a time and the page is let go in between;
  // `tell(found, share)` hears of what is found so far. Null if `stopped()`.
  async find({ q, from, to }, tell, stopped) {
    const candidates = [];
    for (let n = 0; n < this.size; n++) {
      if ((!from || this.day[n] >= from) && (!to || (this.day[n] && this.day[n] <= to))) candidates.push(n);
    }
    const { wanted, unwanted } = terms(q ?? "");
    if (!wanted.length && !unwanted.length) return candidates;
    const found = [];
    let told = performance.now();
    let rested = told;
    for (let i = 0; i < candidates.length; ) {
      const c = this.chunkOf(candidates[i]);
      const beyond = this.firsts[c + 1] ?? this.size;
      let texts = null;
      for (; i < candidates.length && candidates[i] < beyond; i++) {
        const n = candidates[i];
        if (!texts && !this.haystacks.has(n)) {
          texts = await this.chunk("texts", c);
          if (stopped()) return null;
        }
        const folded = this.haystack(n, texts?.[n - this.firsts[c]]);
        if (wanted.every((term) => has(folded, term)) && !unwanted.some((term) => has(folded, term))) found.push(n);
      }
      const now = performance.now();
      if (now - rested > 25) {
        if (now - told > 200) {
          tell(found, i / candidates.length);
          told = now;
        }
        await new Promise((resume) => setTimeout(resume));
        if (stopped()) return null;
        rested = performance.now();
      }
    }
    return found;
  }

  // Every date that names days, by its first day: first and last day, story, and place among its dates, by column.
  get calendar() {
    if (this.days) return this.days;
    const columns = { first: [], last: [], story: [], place: [] };
    this.dates.forEach((days, n) => {
      for (let k = 0; k < days.length; k += 2) {
        if (days[k] === null) continue;
        columns.first.push(days[k]);
        columns.last.push(days[k + 1]);
        columns.story.push(n);
        columns.place.push(k / 2);
      }
    });
    // Sorted as numbers, day above place: a hundred thousand dates in some milliseconds.
    const order = Float64Array.from(columns.first, (day, i) => day * 2 ** 26 + i).sort();
    for (const [name, values] of Object.entries(columns)) {
      columns[name] = Int32Array.from(order, (key) => values[key - Math.floor(key / 2 ** 26) * 2 ** 26]);
    }
    this.days = columns;
    return columns;
  }

  // How often each value of a facet stands in `stories`: [[value, label, detail, count]], most frequent first.
  facet(kind, stories) {
    const counts = new Map();
    const column = { speaker: this.said, name: this.names, topic: this.codes }[kind];
    for (const n of stories) {
      for (const value of kind === "speaker" ? new Set(column[n]) : column[n]) {
        counts.set(value, (counts.get(value) ?? 0) + 1);
      }
    }
    counts.delete(-1);
    const rows = [...counts].sort((a, b) => b[1] - a[1] || (a[0] > b[0] ? 1 : -1));
    return rows.map(([value, count]) => {
      if (kind === "speaker") return [this.speakers[value], this.speakers[value], "", count];
      if (kind === "topic") return [value, this.labels[value], "", count];
      const [label, name] = parted(this.entities[value]);
      return [this.entities[value], name, kindOf(label).name, count];
    });
  }
}

// "PERSON Anna Berg" is a label and a name.
function parted(entity) {
  const blank = entity.indexOf(" ");
  return [entity.slice(0, blank), entity.slice(blank + 1)];
}

const KINDS = {
  person: { name: "person", labels: ["PERSON"] },
  org: { name: "organisation", labels: ["ORG"] },
  place: { name: "place", labels: ["GPE", "LOC", "FAC"] },
  other: { name: "other name", labels: [] },
};
function kindOf(label) {
  for (const [key, kind] of Object.entries(KINDS)) if (kind.labels.includes(label)) return { key, ...kind };
  return { key: "other", name: label.toLowerCase().replaceAll("_", " ") };
}

const longDay = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
const shortDay = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const monthOf = new Intl.DateTimeFormat("en-GB", { month: "long", year: "numeric", timeZone: "UTC" });
const weekday = new Intl.DateTimeFormat("en-GB", { weekday: "long", timeZone: "UTC" });

// An ISO day in words; what is none stays as it is.
function inWords(iso, format = shortDay) {
  const time = /^\d{4}-\d\d-\d\d$/.test(iso) ? Date.parse(iso) : NaN;
  return Number.isNaN(time) ? iso : format.format(time);
}
const isoOf = (day) => new Date(day * DAY).toISOString().slice(0, 10);
const plural = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
