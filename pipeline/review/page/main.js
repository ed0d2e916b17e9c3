// ---- The page: its state stands in the address, everything else follows from it. ----

const VIEWS = ["stories", "said", "topics", "timeline", "run"];
const FILTERS = ["q", "speaker", "name", "topic", "from", "to"];
const narrow = matchMedia("(max-width: 860px)");
const byId = (id) => document.getElementById(id);

class App {
  constructor(store) {
    this.store = store;
    this.filters = {};
    this.view = "";
    this.current = null; // Number of the story shown.
    this.results = [];
    this.base = [];
    this.asked = 0;
    this.list = new LongList(byId("list"), { height: 104, row: (n) => this.row(this.results[n]), open: (n, certain) => this.choose(n, certain) });
    this.said = new SaidView(this);
    this.topics = new TopicsView(this);
    this.timeline = new TimelineView(this);
    this.boxes = Object.fromEntries(["speaker", "name", "topic"].map((kind) => [kind, new ComboBox(byId(kind), {
      suggest: (words) => this.suggest(kind, words),
      change: (value) => this.go({ [kind]: value, ...this.shut() }),
      labelOf: (value) => (!value ? "" : kind === "name" ? parted(value)[1] : kind === "topic" ? store.labels[value] ?? value : value),
    })]));
    attend(byId("story"));
  }

  // Change the address, and with it the page. `quietly` leaves no step to go back to.
  go(changes, quietly = false) {
    const state = new URLSearchParams(location.hash.slice(1));
    for (const [key, value] of Object.entries(changes)) {
      if (value) state.set(key, value);
      else state.delete(key);
    }
    const address = `#${state}`;
    if (address === location.hash) return;
    history[quietly ? "replaceState" : "pushState"](null, "", address);
    this.follow();
  }

  // Filtering on a narrow page shows the list again.
  shut() {
    return narrow.matches ? { story: null } : {};
  }

  back() {
    this.go({ story: null });
    byId("list").focus();
  }

  async follow() {
    const state = new URLSearchParams(location.hash.slice(1));
    const view = VIEWS.includes(state.get("view")) ? state.get("view") : "stories";
    const filters = Object.fromEntries(FILTERS.map((key) => [key, state.get(key) ?? ""]));
    this.wanted = state.get("story");
    const before = this.filters;
    this.filters = filters;
    for (const [kind, box] of Object.entries(this.boxes)) box.set(filters[kind]);
    for (const key of ["q", "from", "to"]) if (byId(key).value !== filters[key]) byId(key).value = filters[key];
    byId("clear").hidden = !FILTERS.some((key) => filters[key]);
    const turned = view !== this.view;
    this.view = view;
    for (const name of VIEWS) {
      byId(`view-${name}`).hidden = name !== view;
      byId(`tab-${name}`).setAttribute("aria-selected", String(name === view));
      byId(`tab-${name}`).tabIndex = name === view ? 0 : -1;
    }
    if (turned) byId("tabs").scrollLeft = byId(`tab-${view}`).offsetLeft - byId("tabs").offsetLeft - 60;
    byId("filters").hidden = view === "run";
    document.body.classList.toggle("reading-story", view === "stories" && this.store.numbers.has(this.wanted));
    const searched = ["q", "from", "to"].some((key) => before[key] !== filters[key]);
    if (searched) return this.search();
    const sifted = FILTERS.some((key) => before[key] !== filters[key]);
    if (sifted) this.sift();
    this.render(sifted || turned);
  }

  async search() {
    const turn = ++this.asked;
    const stopped = () => turn !== this.asked;
    const settle = (found, share) => {
      this.base = found.slice();
      this.sift();
      this.render(true, share);
    };
    const found = await this.store.find(this.filters, settle, stopped);
    if (found && !stopped()) settle(found, 1);
  }

  sift() {
    this.results = this.store.sift(this.base, this.filters);
    this.places = new Map(this.results.map((n, place) => [n, place]));
    this.facets = {};
  }

  // Stories that all filters but one let through: what that one has to choose from.
  without(kind) {
    return this.store.sift(this.base, this.filters, kind);
  }

  suggest(kind, words) {
    const wanted = fold(words).trim().split(/ +/).filter(Boolean);
    const found = [];
    this.facets[kind] ??= this.store.facet(kind, this.without(kind)).map((row) => [...row, fold(row[1])]);
    for (const row of this.facets[kind]) {
      if (wanted.every((word) => row[4].includes(word))) found.push(row);
      if (found.length === 60) break;
    }
    return found;
  }

  render(changed, share = 1) {
    const of = this.store.size;
    const found = this.results.length;
    const all = plural(of, "story", "stories");
    byId("count").textContent = share < 1 ? `${found.toLocaleString("en")} found, ${Math.floor(share * 100)}% searched` : found === of ? all : `${found.toLocaleString("en")} of ${all}`;
    if (this.view === "stories") this.showStory(changed, share);
    else if (changed) this[this.view]?.show();
  }

  row(n) {
    const { store } = this;
    const facts = [inWords(store.day[n]), store.agencies[store.agency[n]], store.places[store.place[n]]].filter(Boolean).join(" · ");
    const topic = store.topics[n].length ? store.labels[store.paths[store.topics[n][0]].at(-1)] : "";
    return [
      el("span", { class: "headline", dir: "auto" }, shown(store.title[n])),
      el("span", { class: "muted small line" }, bdi(facts || store.ids[n])),
      el("span", { class: "muted small line" }, [store.said[n].length ? plural(store.said[n].length, "quote") : "", topic].filter(Boolean).join(" · ")),
    ];
  }

  choose(place, certain) {
    const story = this.store.ids[this.results[place]];
    if (certain) {
      this.go({ story });
      byId("story").focus({ preventScroll: true });
    } else if (!narrow.matches) {
      clearTimeout(this.resting);
      this.resting = setTimeout(() => this.go({ story }, true), 120);
    }
  }

  step(by) {
    const place = this.places.get(this.current) + by;
    if (place >= 0 && place < this.results.length) this.go({ story: this.store.ids[this.results[place]] }, true);
  }

  async showStory(changed, share) {
    let number = this.wanted === null ? undefined : this.store.numbers.get(this.wanted);
    const reading = number !== undefined;
    byId("view-stories").classList.toggle("reading", reading);
    // On a wide page something is always open: what was, if it is still in the list, else its first. Only an address
    // that is opened anew shows a story that its own filters do not let through.
    if (!reading) number = this.places.has(this.current) ? this.current : this.results[0];
    else if (changed && this.settled && !this.places.has(number)) number = this.results[0];
    this.settled ||= share === 1;
    const place = this.places.get(number) ?? -1;
    if (changed) this.list.show(this.results.length, place);
    else if (place !== this.list.active) {
      this.list.active = place;
      if (place >= 0) this.list.reveal(place);
      this.list.draw();
      this.list.point();
    }
    const box = byId("story");
    const key = [number, this.filters.q, place, this.results.length].join("\n");
    if (number === undefined) {
      this.current = null;
      this.drawn = "";
      box.replaceChildren(el("p", { class: "empty muted" }, share < 1 ? "Searching …" : this.store.size ? "No story has all of this. Take a word or a filter away." : "The run has no stories."));
      return;
    }
    if (this.drawn === key) return;
    this.drawn = key;
    this.current = number;
    const story = await this.store.story(number);
    if (this.drawn !== key) return;
    this.position = { at: place, of: this.results.length };
    const held = box.contains(document.activeElement) && document.activeElement.getAttribute("aria-label");
    card.hide();
    drawStory(box, story, this);
    if (held) [...box.querySelectorAll("button")].find((b) => b.getAttribute("aria-label") === held && !b.disabled)?.focus({ preventScroll: true });
  }
}

function themes() {
  const order = ["system", "light", "dark"];
  let theme = "system";
  try {
    theme = localStorage.getItem("copydesk-theme") ?? theme;
  } catch {
    // A page opened from a file may have no storage: the choice then lasts as long as the page.
  }
  const put = () => {
    document.documentElement.dataset.theme = theme;
    byId("theme").textContent = `Theme: ${theme}`;
  };
  byId("theme").addEventListener("click", () => {
    theme = order[(order.indexOf(theme) + 1) % order.length];
    try {
      localStorage.setItem("copydesk-theme", theme);
    } catch {
      // As above.
    }
    put();
  });
  put();
}

function listen(app) {
  const later = (wait, call) => {
    let timer = 0;
    return () => {
      clearTimeout(timer);
      timer = setTimeout(call, wait);
    };
  };
  byId("q").addEventListener("input", later(160, () => app.go({ q: byId("q").value.trim(), ...app.shut() }, true)));
  for (const key of ["from", "to"]) byId(key).addEventListener("change", () => app.go({ [key]: byId(key).value, ...app.shut() }));
  byId("clear").addEventListener("click", () => {
    app.go(Object.fromEntries(FILTERS.map((key) => [key, ""])));
    byId("q").focus();
  });
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault(); // The address is the page's state, not a place in it.
    byId("main").focus();
  });
  byId("more").addEventListener("click", (event) => {
    const open = byId("filters").classList.toggle("open");
    event.currentTarget.setAttribute("aria-expanded", String(open));
  });
  byId("tabs").addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) app.go({ view: tab.id.slice(4), story: null });
  });
  byId("tabs").addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const to = event.key === "Home" ? 0 : event.key === "End" ? VIEWS.length - 1 : step && (VIEWS.indexOf(app.view) + step + VIEWS.length) % VIEWS.length;
    if (to === undefined) return;
    event.preventDefault();
    app.go({ view: VIEWS[to], story: null });
    byId(`tab-${VIEWS[to]}`).focus();
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "k") {
      event.preventDefault();
      byId("q").focus();
      byId("q").select();
    }
  });
  addEventListener("popstate", () => app.follow());
  addEventListener("hashchange", () => app.follow());
}

async function start() {
  themes();
  if (!("DecompressionStream" in window)) {
    byId("summary").textContent = "This page needs a newer browser: Chrome, Edge, Firefox or Safari of 2024 or later.";
    return;
  }
  const store = new Store(await unpacked("data-index"), {
    texts: document.querySelectorAll("script.texts"),
    annotations: document.querySelectorAll("script.annotations"),
  });
  const quotes = store.said.reduce((sum, list) => sum + list.length, 0);
  const days = store.day.filter(Boolean).sort();
  const span = days.length ? (days[0] === days.at(-1) ? inWords(days[0]) : `${inWords(days[0])} – ${inWords(days.at(-1))}`) : "";
  byId("summary").textContent = [plural(store.size, "story", "stories"), plural(quotes, "quote"), span].filter(Boolean).join(" · ");
  const app = new App(store);
  listen(app);
  await app.follow();
  await drawRun();
  document.documentElement.dataset.ready = "yes";
}

start();
