// The page is whole without this, but for its calculator. It follows an anchor to the page on which
// it stands, copies a link or a finding, shows the rows of one verdict, evaluates formulas, and opens
// for print what is folded.
(() => {
  const all = (css, root = document) => [...root.querySelectorAll(css)];
  const status = document.createElement("p");
  status.className = "status";
  status.setAttribute("role", "status");
  const say = words => {
    status.textContent = words;
    setTimeout(() => { if (status.textContent === words) status.textContent = ""; }, 4000);
  };
  document.body.append(status);
  const filters = [];
  const follow = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const found = document.getElementById(id);
    if (!found && id in moved) location.replace(moved[id] + "#" + id);
    if (found && found.closest("[hidden]")) {
      filters.forEach(show => show(""));
      found.scrollIntoView();
    }
  };

  for (const table of all("table.stacks")) {
    const rows = all("tbody > tr:not(.more)", table);
    const verdict = row => (row.querySelector("td .badge") || {}).textContent || "";
    const words = [...new Set(rows.map(verdict))].filter(Boolean);
    if (words.length < 2) continue;
    const bar = document.createElement("div");
    bar.className = "filter";
    bar.setAttribute("role", "group");
    bar.setAttribute("aria-label", "Rows by verdict");
    const show = chosen => {
      for (const row of rows) {
        const hidden = Boolean(chosen) && verdict(row) !== chosen;
        for (let each = row; each; each = each.nextElementSibling) {
          if (each !== row && !each.matches(".more")) break;
          each.hidden = hidden;
        }
      }
      for (const each of all("button", bar))
        each.setAttribute("aria-pressed", String(each.value === chosen));
    };
    for (const word of ["", ...words]) {
      const count = rows.filter(row => !word || verdict(row) === word).length;
      const button = document.createElement("button");
      button.type = "button";
      button.value = word;
      button.textContent = `${word || "all"} ${count}`;
      button.addEventListener("click", () => {
        show(word);
        say(`${count} of ${rows.length} rows`);
      });
      bar.append(button);
    }
    show("");
    filters.push(show);
    table.parentElement.before(bar);
  }

  const copy = (text, words) => {
    const failed = () => say("The browser does not let this page copy");
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(() => say(words), failed);
    else failed();
  };
  for (const link of all(".here"))
    link.addEventListener("click", () => copy(link.href, "Link copied"));
  // A file of one's own has no address that others can open, and its folder is nobody's business.
  const path = location.pathname.split("/").pop();
  const page = (location.protocol === "file:" ? path : location.href.split("#")[0])
    .replaceAll("(", "%28").replaceAll(")", "%29");
  for (const [id, text] of Object.entries(copied)) {
    const row = document.getElementById(id)?.closest("tr");
    const place = id ? row && row.lastElementChild : document.querySelector("header");
    if (!place) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = id ? "Copy for OpenReview" : "Copy all findings for OpenReview";
    if (id) button.setAttribute("aria-label", `Copy for OpenReview: ${id}`);
    button.addEventListener("click", () =>
      copy(text.replaceAll("](#", () => `](${page}#`), "Copied as Markdown"));
    place.append(button);
  }
  // Formulas at the reader's numbers: a number, a letter, or a sign and what it joins.
  const signs = {
    "+": (...y) => y.reduce((a, b) => a + b), "*": (...y) => y.reduce((a, b) => a * b),
    "/": (a, b) => a / b, "^": Math.pow, max: Math.max, min: Math.min, log: Math.log, exp: Math.exp,
    "<=": (a, b) => a <= b, "<": (a, b) => a < b, ">=": (a, b) => a >= b, ">": (a, b) => a > b,
    "==": (a, b) => a === b, "!=": (a, b) => a !== b,
  };
  const valued = (formula, at) => typeof formula === "number" ? formula
    : typeof formula === "string" ? at.get(formula)
    : signs[formula[0]](...formula.slice(1).map(each => valued(each, at)));
  const made = (tag, parent, text = "") => {
    const element = document.createElement(tag);
    element.textContent = text;
    parent.append(element);
    return element;
  };
  for (const place of all(".calculator")) {
    const { letters, claims } = JSON.parse(place.querySelector("script").textContent);
    const asked = new URLSearchParams(location.hash.split("?")[1] || "");
    const label = made("label", place, "Claim ");
    const chosen = made("select", label);
    for (const each of claims) made("option", chosen, `${each.title} (${each.id})`).value = each.id;
    if (claims.some(each => each.id === asked.get("claim"))) chosen.value = asked.get("claim");
    const form = made("div", place);
    const answer = made("table", place);
    const unmet = made("p", place);
    const command = made("pre", place);
    const show = () => {
      const claim = claims[chosen.selectedIndex];
      const at = new Map();
      for (const each of claim.inputs) {
        const [slider, typed] = all("input", form.querySelector(`[data-name="${each.name}"]`));
        at.set(each.name, Number(typed.value));
        slider.value = Math.log10(typed.value);
        const fits = at.get(each.name) > 0 && (!each.whole || Number.isInteger(at.get(each.name)));
        typed.setCustomValidity(fits ? "" : each.whole ? "a whole number from 1" : "a number above 0");
        typed.reportValidity();
      }
      const values = [...at].map(([name, value]) => `${name}=${value}`);
      for (const each of claim.quantities) at.set(each.name, valued(each.is, at));
      const broken = claim.conditions.filter(each => !valued(each.holds, at));
      const isNumber = each => at.get(each.name) > 0 && at.get(each.name) < Infinity;
      const says = broken.length === 0 && claim.quantities.every(isNumber);
      answer.replaceChildren();
      claim.quantities.forEach((each, i) => {
        const row = made("tr", answer);
        made("td", row).innerHTML = letters[each.look];
        // What a theorem says of no run is not shown as its bound.
        const isShown = isNumber(each) && (says || i < claim.quantities.length - 1);
        const value = isShown ? at.get(each.name) : "";
        made("td", row, isShown ? `≈ ${Number(value.toPrecision(6))}` : "–").dataset.value = value;
        made("td", row).innerHTML = each.means;
      });
      const why = broken.map(each => letters[each.look]).join(", ") || "a formula has no positive value";
      unmet.innerHTML = says ? "" : `The claim says nothing at these numbers: ${broken.length ? `not ${why}` : why}.`;
      command.textContent = `boundcheck bound ${claim.id} ${values.map(x => `--set ${x}`).join(" ")}`;
      return `#${place.id}?claim=${claim.id}&${values.join("&")}`;
    };
    const changed = () => history.replaceState(null, "", show());
    const choose = () => {
      const claim = claims[chosen.selectedIndex];
      form.replaceChildren();
      for (const each of claim.inputs) {
        const row = made("label", form);
        row.dataset.name = each.name;
        made("span", row).innerHTML = letters[each.look];
        const slider = made("input", row);
        const typed = made("input", row);
        Object.assign(slider, { type: "range", min: each.whole ? 0 : -4, max: each.first > 1000 ? 8 : 4, step: 0.05 });
        Object.assign(typed, { type: "number", min: each.whole ? 1 : 0, step: each.whole ? 1 : "any" });
        slider.setAttribute("aria-label", `${each.name}, by powers of ten`);
        typed.value = Number(asked.get(each.name)) > 0 ? asked.get(each.name) : each.first;
        slider.addEventListener("input", () => {
          const value = 10 ** slider.value;
          typed.value = each.whole ? Math.max(1, Math.round(value)) : Number(value.toPrecision(3));
          changed();
        });
        typed.addEventListener("input", changed);
        made("small", row).innerHTML = each.means;
      }
      show();
    };
    chosen.addEventListener("change", () => { choose(); changed(); });
    choose();
    if (asked.has("claim")) place.scrollIntoView();
  }
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = all("details:not([open])");
    opened.forEach(each => { each.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach(each => { each.open = false; }));
  addEventListener("hashchange", follow);
  follow();
})();
