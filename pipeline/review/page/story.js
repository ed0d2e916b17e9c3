// ---- One story: its text with everything marked, and what was found in it as tables. ----

const HUES = 8;
const CHIPS = 40; // Speakers of a story in its legend; further ones stand in the table.
const MARKS = ["quote", "source", "cue", "date", "name", "nominal", "pronoun"];
const TOGGLES = [
  ["quotes", "Quotes", "quote"], ["person", "People", "person"], ["org", "Organisations", "org"],
  ["place", "Places", "place"], ["other", "Other names", "other"], ["dates", "Dates", "date"],
  ["mentions", "he, it, the ministry …", "mention"],
];
const hidden = new Set(); // Kinds of marks switched off, for all stories.

// Speakers of a story in order, each with a colour; the first eight named ones have one of their own.
function castOf(story) {
  const cast = new Map();
  story.quotes.forEach((quote, n) => {
    const name = quote.speaker || "";
    if (!cast.has(name)) {
      const named = [...cast.values()].filter((one) => one.named).length;
      cast.set(name, { name, named: Boolean(quote.named), anonymous: quote.anonymous, hue: quote.named ? named % HUES : "none", quotes: [] });
    }
    cast.get(name).quotes.push(n);
    quote.cast = cast.get(name);
  });
  return cast;
}

const speakerLabel = (quote) =>
  quote.speaker ? bdi(quote.speaker, { class: quote.named ? "who" : "who unnamed" }) : el("span", { class: "who unnamed" }, "speaker not known");

function wordsOf(story, quote) {
  return quote.parts.map(([start, end]) => story.text.slice(start, end).replace(/\s+/g, " ").trim()).join(" … ");
}

// Ranges of the text that the search found, merged.
function hitsIn(text, query) {
  const { wanted } = terms(query);
  if (!wanted.length) return [];
  const folded = fold(text);
  const ranges = wanted.flatMap((term) => [...folded.matchAll(term)].map((hit) => [hit.index, hit.index + hit[0].length]));
  ranges.sort((a, b) => a[0] - b[0]);
  const merged = [];
  for (const range of ranges) {
    const last = merged.at(-1);
    if (last && range[0] <= last[1]) last[1] = Math.max(last[1], range[1]);
    else merged.push(range);
  }
  return merged;
}

function appendText(parent, text, start, end, hits) {
  for (const [from, to] of hits) {
    if (to <= start) continue;
    if (from >= end) break;
    if (from > start) parent.append(shown(text.slice(start, from)));
    parent.append(el("mark", { class: "hit" }, shown(text.slice(Math.max(from, start), Math.min(to, end)))));
    start = Math.min(to, end);
  }
  if (start < end) parent.append(shown(text.slice(start, end)));
}

// Whether nothing but blanks of a quote is left behind `offset`.
function endsAt(story, quote, offset) {
  const end = quote.parts.at(-1)?.[1];
  return end !== undefined && offset <= end && !story.text.slice(offset, end).trim();
}

// A paragraph's text with its marks. `events` are pairs: an offset, and the mark that opens there or -1 for a close;
// `told` are the quotes whose end was met before.
function drawParagraph(story, [start, end, zone, events], hits, told) {
  const p = el("p", { dir: "auto", class: zone ? `zone zone-${zone}` : null, title: zone || null });
  const lines = story.text.slice(start, end).trim().split("\n");
  const wrapped = lines.slice(0, -1).every((line) => line.length > 45);
  if (!wrapped) p.classList.add("lines");
  const open = [p];
  const ended = [];
  let at = start;
  for (let i = 0; i < events.length; i += 2) {
    const [offset, mark] = [events[i], events[i + 1]];
    appendText(open.at(-1), story.text, at, offset, hits);
    at = offset;
    if (mark === -1) {
      const closed = open.pop();
      const quote = closed.dataset.quote;
      if (quote !== undefined && endsAt(story, story.quotes[quote], offset) && !told.has(quote)) {
        closed.classList.add("ends");
        closed.dataset.number = Number(quote) + 1;
        ended.push(Number(quote));
        told.add(quote);
      }
      continue;
    }
    const kind = MARKS[mark % 8];
    const owner = Math.floor(mark / 8);
    let piece;
    if (kind === "date") piece = el("span", { class: "m date", "data-d": owner });
    else if (mark % 8 >= 4) piece = el("span", { class: `m ${kindOf(story.entities[owner][0]).key} ${kind === "name" ? "" : "mention"}`, "data-e": owner });
    else piece = el("span", { class: `m ${kind}`, "data-q": owner, "data-quote": kind === "quote" ? owner : null, hue: story.quotes[owner].cast.hue });
    open.at(-1).append(piece);
    open.push(piece);
  }
  appendText(p, story.text, at, end, hits);
  // Beside the paragraph: who said the quotes that end in it.
  const notes = ended.map((n) => {
    const quote = story.quotes[n];
    return el("button", { type: "button", class: "note", "data-q": n, hue: quote.cast.hue },
      el("span", { class: "unseen" }, "Quote "), el("span", { class: "n" }, String(n + 1)), " ", speakerLabel(quote));
  });
  return el("div", { class: "para" }, p, el("div", { class: "notes" }, notes));
}

// Of a name or a date within a quote: whose words it stands in.
function within(target) {
  const quote = target.dataset.q === undefined && target.closest("[data-quote]");
  if (!quote) return [];
  const n = Number(quote.dataset.quote);
  return [el("div", { class: "in-quote", hue: onPage.story.quotes[n].cast.hue }, `in quote ${n + 1}: `, speakerLabel(onPage.story.quotes[n]))];
}

const share = (number) => (number === undefined || number === null ? "" : number.toFixed(2));

// What the card says of a quote, an entity or a date.
function cardFor(story, data) {
  if (data.q !== undefined) {
    const quote = story.quotes[data.q];
    const facts = [quote.cue && `“${quote.cue}”`, quote.type, quote.kind && quote.kind !== "speech" ? quote.kind : null, quote.polarity === "negative" ? "negated" : null];
    const how = quote.speaker && [`found by ${quote.method}`, `sure ${share(quote.sure)}`, quote.anonymous ? "not named in the story" : null];
    return [
      el("strong", {}, speakerLabel(quote)), quote.role && el("div", {}, bdi(quote.role)),
      el("div", { class: "muted" }, bdi([`Quote ${Number(data.q) + 1}`, ...facts].filter(Boolean).join(" · "))),
      how && el("div", { class: "muted" }, how.filter(Boolean).join(" · ")),
    ].filter(Boolean);
  }
  if (data.e !== undefined) {
    const [label, name, roles, aliases, mentions] = story.entities[data.e];
    return [
      el("strong", {}, bdi(name)), el("div", { class: "muted" }, `${kindOf(label).name} · ${plural(mentions, "mention")}`),
      roles.length ? el("div", {}, bdi(roles.join("; "))) : null,
      aliases.length ? el("div", { class: "muted" }, "also ", bdi(aliases.join(", "))) : null,
    ].filter(Boolean);
  }
  const [, , type, value, mod, earliest, latest, quant, freq] = story.dates[data.d];
  return [
    el("strong", {}, daysInWords(earliest, latest, true) || value || "not resolved"),
    el("div", { class: "muted" }, [type, value, mod, quant, freq].filter(Boolean).join(" · ")),
  ];
}

// Days in words: one day, whole months and years by their names, else the first and the last.
function daysInWords(earliest, latest, long = false) {
  if (!earliest) return "";
  const format = long ? longDay : shortDay;
  if (earliest === latest || !latest) return long ? `${inWords(earliest, weekday)}, ${inWords(earliest, format)}` : inWords(earliest, format);
  const [from, to] = [earliest.split("-"), latest.split("-")];
  if (from[1] === "01" && from[2] === "01" && to[1] === "12" && to[2] === "31") return from[0] === to[0] ? from[0] : `${from[0]} – ${to[0]}`;
  const month = from[2] === "01" && earliest.slice(0, 7) === latest.slice(0, 7) && isoOf(Date.parse(latest) / DAY + 1).endsWith("-01");
  return month ? inWords(earliest, monthOf) : `${inWords(earliest, format)} – ${inWords(latest, format)}`;
}

// Draw `story` into the article `box`. `app` has store, filters, go(changes) and position {at, of}.
function drawStory(box, story, app) {
  const { store } = app;
  const n = story.number;
  const cast = castOf(story);
  const hits = hitsIn(story.text, app.filters.q ?? "");
  const told = new Set();
  const facts = [store.agencies[store.agency[n]], store.places[store.place[n]], inWords(store.day[n], longDay)].filter(Boolean);

  const steps = el("div", { class: "steps" },
    el("button", { type: "button", class: "quiet back", onclick: () => app.back() }, "‹ All stories"),
    el("span", { class: "muted" }, app.position.at < 0 ? "" : `${(app.position.at + 1).toLocaleString("en")} of ${app.position.of.toLocaleString("en")}`),
    el("button", { type: "button", class: "quiet", "aria-label": "Previous story", disabled: app.position.at <= 0, onclick: () => app.step(-1) }, "↑"),
    el("button", { type: "button", class: "quiet", "aria-label": "Next story", disabled: app.position.at < 0 || app.position.at >= app.position.of - 1, onclick: () => app.step(1) }, "↓"));

  const head = el("header", {},
    el("p", { class: "kicker" }, bdi(facts.join(" · "))),
    el("h2", { dir: "auto", class: store.title[n].length > 80 ? "long" : null }, shown(store.title[n])),
    story.byline && el("p", { class: "byline" }, bdi(story.byline)),
    el("p", { class: "muted small" }, bdi(store.ids[n]), ` · ${plural(store.words[n], "word")}`),
    story.faults.map((fault) => el("p", { class: "notice" }, bdi(fault))));

  const legend = el("div", { class: "legend", role: "group", "aria-label": "What is marked" },
    TOGGLES.map(([key, label, sample]) =>
      el("button", {
        type: "button", class: "toggle", "aria-pressed": String(!hidden.has(key)), onclick(event) {
          if (!hidden.delete(key)) hidden.add(key);
          event.currentTarget.setAttribute("aria-pressed", String(!hidden.has(key)));
          box.querySelector(".text").className = textClass();
        },
      }, el("span", { class: `m ${sample === "mention" ? "person mention" : sample}`, hue: sample === "quote" ? "none" : null }, label))));

  const speakers = cast.size > 0 && el("div", { class: "cast", role: "group", "aria-label": "Speakers" },
    [...cast.values()].slice(0, CHIPS).map((one) =>
      el("button", {
        type: "button", class: "chip", hue: one.hue, "data-cast": one.name,
        onclick: () => (one.named ? app.go({ view: "said", speaker: one.name }) : box.querySelector(".words").scrollIntoView()),
      }, el("span", { class: "dot", "aria-hidden": "true" }), speakerLabel({ speaker: one.name, named: one.named }),
        el("span", { class: "number muted" }, String(one.quotes.length), el("span", { class: "unseen" }, " quotes")))),
    cast.size > CHIPS && el("span", { class: "muted small" }, `and ${plural(cast.size - CHIPS, "more", "more")}`));

  const text = el("div", { class: textClass() });
  drawText(box, text, story.paragraphs, (paragraph) => drawParagraph(story, paragraph, hits, told));

  box.replaceChildren(...[steps, head, legend, speakers, text, ...sections(story, app)].filter(Boolean));
  box.scrollTop = 0;
  Object.assign(onPage, { story, cast, visited: new Map() });
}

// The first paragraphs at once, further ones as they come near to being seen: a story may be a book.
function drawText(box, text, paragraphs, draw) {
  const end = el("div", { class: "end" });
  let drawn = 0;
  const seen = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && onPage.draw(), { root: box, rootMargin: "2000px" });
  text.append(end);
  onPage.seen?.disconnect();
  onPage.seen = seen;
  // Draw a hundred more; false where there are none.
  onPage.draw = () => {
    if (drawn >= paragraphs.length) return false;
    end.before(...paragraphs.slice(drawn, (drawn += 100)).map(draw));
    if (drawn >= paragraphs.length) seen.disconnect();
    else {
      // Looked at anew: what has not moved in or out of sight is not told of again.
      seen.unobserve(end);
      seen.observe(end);
    }
    return true;
  };
  onPage.draw();
}

const textClass = () => ["text", ...[...hidden].map((key) => `no-${key}`)].join(" ");

// A table whose rows are drawn a hundred at a time; `row(n)` gives the cells of a row.
function pagedTable(caption, heads, count, row) {
  const box = el("div");
  const draw = (first, last) => table(caption, heads, Array.from({ length: last - first }, (_, n) => row(first + n)));
  new Pages(box, { label: caption, size: 100, draw }).show(count);
  return box;
}

function* sections(story, app) {
  const { store } = app;
  if (story.quotes.length) {
    yield el("section", { class: "words" }, el("h3", {}, "Who said what"),
      pagedTable("Who said what", [["", "number"], "Speaker", "Role", ["Words", "prose"], "Cue", "Kind"], story.quotes.length, (n) => {
        const quote = story.quotes[n];
        return [
          String(n + 1),
          el("button", { type: "button", class: "link", "data-q": n, "data-jump": true, hue: quote.cast.hue }, el("span", { class: "dot", "aria-hidden": "true" }), speakerLabel(quote)),
          quote.role && bdi(quote.role), bdi(wordsOf(story, quote)), quote.cue && bdi(quote.cue),
          [quote.type, quote.anonymous ? el("span", { class: "tag" }, "unnamed") : ""],
        ];
      }));
  }
  if (story.entities.length) {
    yield el("section", {}, el("h3", {}, "Names"),
      pagedTable("Names", ["Name", "What", "Role", "Also", ["Mentions", "number"], ["Stories", "number"]],
        story.entities.length, (n) => {
          const [label, name, roles, aliases, mentions] = story.entities[n];
          const number = store.entityNumbers.get(`${label} ${name}`);
          const stories = number === undefined ? 0 : store.storiesOf[number];
          return [
            el("button", { type: "button", class: "link", "data-e": n, "data-jump": true }, bdi(name)),
            kindOf(label).name, bdi(roles.join("; ")), bdi(aliases.join(", ")), String(mentions),
            stories > 0 && el("button", { type: "button", class: "link", "aria-label": `Stories that name ${name}: ${stories}`, onclick: () => app.go({ view: "stories", name: `${label} ${name}`, story: null }) }, stories.toLocaleString("en")),
          ];
        }));
  }
  if (story.dates.length) {
    const order = story.dates.map((_, n) => n).sort((a, b) => (story.dates[a][5] ?? "~").localeCompare(story.dates[b][5] ?? "~") || a - b);
    yield el("section", {}, el("h3", {}, "Dates"),
      pagedTable("Dates", ["As written", "Days", "Value", "Type"],
        order.length, (place) => {
          const n = order[place];
          const [start, end, type, value, mod, earliest, latest] = story.dates[n];
          return [
            el("button", { type: "button", class: "link", "data-d": n, "data-jump": true }, bdi(story.text.slice(start, end).replace(/\s+/g, " "))),
            daysInWords(earliest, latest), el("code", {}, value ?? "not resolved"), [type, mod && el("span", { class: "tag" }, mod)],
          ];
        }));
  }
  if (story.topics.length || story.keyphrases.length) {
    yield el("section", {}, el("h3", {}, "Topics"),
      el("div", { class: "cast" }, story.topics.map(([label, qcode, score]) =>
        el("button", { type: "button", class: "chip", title: qcode, onclick: () => app.go({ view: "stories", topic: qcode, story: null }) }, bdi(label), el("span", { class: "number muted" }, share(score))))),
      story.keyphrases.length > 0 && el("p", { class: "muted" }, "Keyphrases: ", bdi(story.keyphrases.join(" · "))));
  }
}

// Hover and focus in the article `box`: light up what belongs together and show the card. A press jumps to the place
// in the text. Told once; the story drawn last is the one meant.
const onPage = { story: null, cast: null, visited: new Map(), seen: null, draw: () => false };

function attend(box) {
  const dim = () => box.querySelectorAll(".lit").forEach((element) => element.classList.remove("lit"));
  const all = (key, value) => box.querySelectorAll(`[data-${key}="${value}"]`);
  const owner = (event) => event.target.closest?.("[data-q],[data-e],[data-d],[data-cast]");
  const keyOf = ({ q, e, d }) => (q !== undefined ? ["q", q] : e !== undefined ? ["e", e] : ["d", d]);
  const light = (event) => {
    const target = owner(event);
    if (!target) return;
    if (target.dataset.cast !== undefined) {
      dim();
      for (const n of onPage.cast.get(target.dataset.cast)?.quotes ?? []) all("q", n).forEach((element) => element.classList.add("lit"));
      return;
    }
    card.show(target, [...cardFor(onPage.story, target.dataset), ...within(target)]);
    all(...keyOf(target.dataset)).forEach((element) => element.classList.add("lit"));
  };
  box.addEventListener("pointerover", light);
  box.addEventListener("focusin", light);
  box.addEventListener("pointerout", (event) => (owner(event)?.dataset.cast !== undefined ? dim() : card.fade()));
  box.addEventListener("focusout", () => {
    card.hide();
    dim();
  });
  box.addEventListener("cardgone", dim);
  box.addEventListener("click", (event) => {
    const target = owner(event);
    if (!target || target.dataset.cast !== undefined) return;
    light(event);
    if (target.dataset.jump === undefined && !target.classList.contains("note")) return;
    const [key, value] = keyOf(target.dataset);
    const places = () => box.querySelectorAll(`.text [data-${key === "q" ? "quote" : key}="${value}"]`);
    let next = (onPage.visited.get(key + value) ?? -1) + 1;
    while (next >= places().length && onPage.draw());
    if (!places().length) return;
    next %= places().length;
    onPage.visited.set(key + value, next);
    places()[next].scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  });
}
