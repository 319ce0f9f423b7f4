// The page is whole without this. It follows an anchor to the page on which it stands, copies a
// link or a finding, shows the rows of one verdict, and opens for print what is folded.
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
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = all("details:not([open])");
    opened.forEach(each => { each.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach(each => { each.open = false; }));
  addEventListener("hashchange", follow);
  follow();
})();
