// ---- The other views: who said what, topics, timeline, and the tables of the run. ----

const storyLink = (app, n, text) =>
  el("a", { href: `#${new URLSearchParams({ view: "stories", story: app.store.ids[n] })}`, onclick(event) {
    event.preventDefault();
    app.go({ view: "stories", story: app.store.ids[n] });
  } }, bdi(text ?? app.store.title[n]));

// Who said what over the stories selected: speakers with the number of their quotes, and the quotes in pages.
class SaidView {
  constructor(app) {
    this.app = app;
    this.box = document.getElementById("said");
    this.speakers = [];
    this.list = new LongList(document.getElementById("speakers"), {
      height: 34,
      row: (n) => [bdi(n ? this.speakers[n - 1][1] : "All speakers"), el("span", { class: "number muted" }, (n ? this.speakers[n - 1][3] : this.all).toLocaleString("en"))],
      open: (n) => app.go({ speaker: n ? this.speakers[n - 1][0] : "" }, true),
    });
    this.rows = el("div");
    this.pages = new Pages(this.rows, { label: "quotes", draw: (first, last) => this.draw(first, last) });
    this.head = el("h2");
    this.box.append(this.head, this.rows);
  }

  show() {
    const { store, filters } = this.app;
    const counts = new Map();
    this.all = 0;
    for (const n of this.app.without("speaker")) {
      this.all += store.said[n].length;
      for (const speaker of store.said[n]) if (speaker >= 0) counts.set(speaker, (counts.get(speaker) ?? 0) + 1);
    }
    this.speakers = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([n, count]) => [store.speakers[n], store.speakers[n], "", count]);
    this.list.show(this.speakers.length + 1, filters.speaker ? this.speakers.findIndex((row) => row[0] === filters.speaker) + 1 : 0);
    const wanted = filters.speaker ? store.speakerNumbers.get(filters.speaker) : null;
    this.quotes = []; // Pairs: story, and place among its quotes.
    for (const n of this.app.results) {
      store.said[n].forEach((speaker, k) => {
        if (wanted === null || speaker === wanted) this.quotes.push(n, k);
      });
    }
    const count = this.quotes.length / 2;
    this.head.replaceChildren(filters.speaker ? bdi(filters.speaker) : "Everyone", el("span", { class: "muted" }, ` ${plural(count, "quote")}`));
    return this.pages.show(count);
  }

  async draw(first, last) {
    if (first === last) return el("p", { class: "muted" }, "No quotes in these stories.");
    const rows = [];
    let story = null;
    for (let i = first; i < last; i++) {
      const [n, k] = [this.quotes[2 * i], this.quotes[2 * i + 1]];
      if (story?.number !== n) story = await this.app.store.story(n);
      const quote = story.quotes[k];
      rows.push([
        speakerLabel(quote), quote.role && bdi(quote.role), bdi(wordsOf(story, quote)), quote.cue && bdi(quote.cue),
        [quote.type, quote.anonymous ? el("span", { class: "tag" }, "unnamed") : ""],
        storyLink(this.app, n), inWords(this.app.store.day[n]),
      ]);
    }
    return table("Who said what", ["Speaker", "Role", ["Words", "prose"], "Cue", "Kind", ["Story", "from"], ["Date", "day"]], rows);
  }
}

// The topics of the stories selected as a tree; a topic counts the stories of all topics below it.
class TopicsView {
  constructor(app) {
    this.app = app;
    this.box = document.getElementById("view-topics");
  }

  show() {
    const { store, filters } = this.app;
    const counts = new Map();
    const stories = this.app.without("topic");
    for (const n of stories) for (const code of store.codes[n]) counts.set(code, (counts.get(code) ?? 0) + 1);
    const below = new Map();
    for (const path of store.paths) {
      path.forEach((code, depth) => {
        const parent = depth ? path[depth - 1] : "";
        if (!below.has(parent)) below.set(parent, new Set());
        if (counts.has(code)) below.get(parent).add(code);
      });
    }
    const most = Math.max(1, ...counts.values());
    const branch = (parent) => {
      const codes = [...(below.get(parent) ?? [])].sort((a, b) => counts.get(b) - counts.get(a) || (store.labels[a] > store.labels[b] ? 1 : -1));
      return codes.length > 0 && el("ul", {}, codes.map((code) => {
        const fill = el("span", { class: "fill" });
        fill.style.width = `${(100 * counts.get(code)) / most}%`;
        return el("li", {},
          el("button", { type: "button", class: "topic", title: code, "aria-pressed": String(filters.topic === code), onclick: () => this.app.go({ topic: filters.topic === code ? "" : code }) },
            el("span", { class: "label" }, bdi(store.labels[code])), el("span", { class: "number" }, counts.get(code).toLocaleString("en")), el("span", { class: "meter", "aria-hidden": "true" }, fill)),
          branch(code));
      }));
    };
    const tree = branch("");
    this.box.replaceChildren(...[
      el("h2", {}, "Topics", el("span", { class: "muted" }, ` of ${plural(stories.length, "story", "stories")}`)),
      filters.topic && el("p", {}, el("button", { type: "button", class: "quiet", onclick: () => this.app.go({ view: "stories", story: null }) }, `Show the stories on ${store.labels[filters.topic] ?? filters.topic}`)),
      tree ? el("div", { class: "tree" }, tree) : el("p", { class: "muted" }, "No topics in these stories."),
    ].filter(Boolean));
  }
}

// The days the stories speak of: bars that open into their months and days, and each date in its sentence.
class TimelineView {
  constructor(app) {
    this.app = app;
    this.box = document.getElementById("view-timeline");
    this.way = []; // Ranges opened so far: [first day, last day, name].
    this.head = el("h2");
    this.crumbs = el("nav", { class: "crumbs", "aria-label": "Range of the timeline" });
    this.bars = el("div", { class: "bars", role: "group", "aria-label": "Dates over time", tabindex: 0 });
    this.rows = el("div");
    this.pages = new Pages(this.rows, { label: "dates", draw: (first, last) => this.draw(first, last) });
    this.box.append(this.head, this.crumbs, this.bars, this.rows);
  }

  show() {
    this.days = this.app.store.calendar;
    const chosen = new Uint8Array(this.app.store.size);
    for (const n of this.app.results) chosen[n] = 1;
    this.dates = []; // Places in the calendar, in its order.
    this.days.story.forEach((n, i) => {
      if (chosen[n]) this.dates.push(i);
    });
    this.way = [];
    return this.open();
  }

  open(range) {
    if (range) this.way.push(range);
    const [from, to] = this.way.at(-1) ?? [-Infinity, Infinity];
    const { first, last } = this.days;
    this.within = this.dates.filter((i) => first[i] >= from && last[i] <= to);
    this.head.replaceChildren("Timeline", el("span", { class: "muted" }, ` of ${plural(this.within.length, "date")} the stories speak of`));
    const steps = [[null, null, "All dates"], ...this.way];
    this.crumbs.replaceChildren(...steps.flatMap(([, , name], n) => [
      n ? " › " : "",
      n < steps.length - 1
        ? el("button", { type: "button", class: "link", onclick: () => { this.way.length = n; this.open(); this.crumbs.querySelector("[aria-current]").focus(); } }, name)
        : el("span", { "aria-current": "true", tabindex: -1 }, name),
    ]));
    this.drawBars();
    return this.pages.show(this.within.length);
  }

  // Bins of the range: decades, years, months or days, whichever gives a few dozen bars.
  drawBars() {
    if (!this.within.length) return this.bars.replaceChildren();
    const { first: firsts, last: lasts } = this.days;
    const years = new Set();
    let [from, to] = [Infinity, -Infinity];
    for (const i of this.within) {
      years.add(Math.floor(firsts[i] / 365.2425));
      from = Math.min(from, firsts[i]);
      to = Math.max(to, firsts[i]);
    }
    if (this.way.length) [from, to] = this.way.at(-1);
    const days = to - from;
    const unit = days <= 62 ? "day" : days <= 800 ? "month" : years.size <= 50 ? "year" : "decade";
    const bins = new Map();
    let bin = null;
    for (const i of this.within) {
      if (!bin || firsts[i] > bin[1]) bin = [...binOf(firsts[i], unit), 0];
      if (lasts[i] > bin[1]) continue; // Longer than a bar is wide: it stands in the table alone.
      bin[3]++;
      bins.set(bin[0], bin);
    }
    const rows = [...bins.values()].sort((a, b) => a[0] - b[0]);
    const most = Math.max(1, ...rows.map((row) => row[3]));
    let before = null;
    this.bars.replaceChildren(...rows.flatMap(([first, last, name, count]) => {
      const gap = before !== null && first > before + 1 ? [el("span", { class: "gap", "aria-hidden": "true" }, "⋯")] : [];
      before = last;
      const fill = el("span", { class: "fill" });
      fill.style.height = `${Math.max(3, (100 * count) / most)}%`;
      const again = this.way.length > 0 && this.way.at(-1)[0] === first && this.way.at(-1)[1] === last;
      return [...gap, el("button", {
        type: "button", class: "bin", "aria-label": `${name}: ${plural(count, "date")}`, title: `${name}: ${plural(count, "date")}`, disabled: again,
        onclick: () => { this.open([first, last, name]); this.crumbs.querySelector("[aria-current]").focus(); },
      }, el("span", { class: "track" }, fill), el("span", { class: "name", "aria-hidden": "true" }, shortOf(first, unit)))];
    }));
  }

  async draw(first, last) {
    if (first === last) return el("p", { class: "muted" }, "No dates in these stories.");
    const rows = [];
    let story = null;
    for (const i of this.within.slice(first, last)) {
      const [n, k] = [this.days.story[i], this.days.place[i]];
      if (story?.number !== n) story = await this.app.store.story(n);
      const [start, end, type, , , earliest, latest] = story.dates[k];
      rows.push([el("strong", {}, daysInWords(earliest, latest)), inSentence(story.text, start, end), type.toLowerCase(), storyLink(this.app, n)]);
    }
    return table("Dates", [["Days", "day"], ["As the story says it", "prose"], "Type", ["Story", "from"]], rows);
  }
}

function binOf(day, unit) {
  const date = new Date(day * DAY);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  const first = (y, m) => { const d = new Date(0); d.setUTCFullYear(y, m, 1); return d.getTime() / DAY; };
  if (unit === "day") return [day, day, longDay.format(date)];
  if (unit === "month") return [first(year, month), first(year, month + 1) - 1, monthOf.format(date)];
  if (unit === "year") return [first(year, 0), first(year + 1, 0) - 1, String(year)];
  const decade = Math.floor(year / 10) * 10;
  return [first(decade, 0), first(decade + 10, 0) - 1, `${decade}s`];
}

function shortOf(day, unit) {
  const [year, month, date] = isoOf(day).split("-");
  if (unit === "day") return String(Number(date));
  if (unit === "month") return `${new Intl.DateTimeFormat("en-GB", { month: "short", timeZone: "UTC" }).format(day * DAY)} ${year.slice(2)}`;
  return unit === "year" ? year : `${year}s`;
}

// Words of a story with some of what stands around them, as far as blanks allow.
function inSentence(text, start, end) {
  const before = text.slice(Math.max(0, start - 90), start).replace(/^\S*\s/, "").replace(/\s+/g, " ");
  const after = text.slice(end, end + 90).replace(/\s\S*$/, "").replace(/\s+/g, " ");
  return el("bdi", {}, shown(before), el("span", { class: "m date" }, shown(text.slice(start, end).replace(/\s+/g, " "))), shown(after));
}

// Failures and stories passed over, as tables in pages.
async function drawRun() {
  const failures = await unpacked("data-failures");
  const skipped = await unpacked("data-skipped");
  const where = (row) => [bdi(row.path ?? row.id), row.line ? `, line ${row.line}` : ""];
  const listing = (id, title, rows, heads, cells) => {
    if (!rows.length) return;
    const box = document.getElementById(id);
    const pages = el("div");
    box.append(el("h3", {}, `${title} (${rows.length.toLocaleString("en")})`), pages);
    new Pages(pages, { label: title.toLowerCase(), draw: (first, last) => table(title, heads, rows.slice(first, last).map(cells)) }).show(rows.length);
  };
  listing("failures", "Failures", failures, ["Story", "Stage", "Code", ["What happened", "prose"]], (row) => [where(row), row.stage ?? "reading", el("code", {}, row.code), bdi(row.message)]);
  listing("skipped", "Passed over", skipped, ["File", ["Reason", "prose"]], (row) => [where(row), bdi(row.reason)]);
}
