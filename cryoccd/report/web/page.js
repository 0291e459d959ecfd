"use strict";
(() => {
  const all = (where, what) => [...where.querySelectorAll(what)];
  const make = (tag, fields = {}) => Object.assign(document.createElement(tag), fields);

  // rows by the number in data-v, else by text; a figure without a number stands last either way
  const order = (rows, column, sign) => {
    const key = rows.map((row) => {
      const cell = row.cells[column];
      const value = cell.dataset.v;
      return [row, value === undefined ? NaN : Number(value), cell.textContent.trim()];
    });
    const numeric = key.some(([, number]) => !Number.isNaN(number));
    key.sort(([, a, s], [, b, t]) => {
      if (!numeric) return sign * s.localeCompare(t, "en", { numeric: true });
      if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
      return sign * (a - b);
    });
    return key.map(([row]) => row);
  };

  for (const table of all(document, "table.sortable")) {
    const body = table.tBodies[0];
    const first = [...body.rows];
    const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    heads.forEach((head, column) => {
      const button = make("button", { type: "button" });
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const before = head.getAttribute("aria-sort");
        heads.forEach((each) => each.removeAttribute("aria-sort"));
        const next = before === null ? "ascending" : before === "ascending" ? "descending" : null;
        if (next) head.setAttribute("aria-sort", next);
        body.append(...(next ? order(first, column, next === "ascending" ? 1 : -1) : first));
      });
    });
  }

  const theme = document.getElementById("theme");
  const themes = ["system", "light", "dark"];
  const show = (name) => {
    if (name === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    theme.textContent = "theme: " + name;
  };
  let chosen = "system";
  try { chosen = localStorage.getItem("cryoccd-theme") || chosen; } catch { /* no storage */ }
  show(themes.includes(chosen) ? chosen : "system");
  theme.hidden = false;
  theme.addEventListener("click", () => {
    chosen = themes[(themes.indexOf(chosen) + 1) % themes.length];
    show(chosen);
    try { localStorage.setItem("cryoccd-theme", chosen); } catch { /* no storage */ }
  });

  const filter = document.getElementById("filter");
  if (filter) {
    filter.hidden = false;
    const rules = document.head.appendChild(make("style")).sheet;
    filter.addEventListener("change", () => {
      while (rules.cssRules.length) rules.deleteRule(0);
      for (const box of all(filter, "input:not(:checked)"))
        rules.insertRule(`[data-set="${CSS.escape(box.value)}"] { display: none !important; }`);
    });
  }

  for (const group of all(document, ".lines")) {
    const light = (event) => {
      const name = event.target.closest("[data-line]")?.dataset.line;
      group.classList.toggle("lit", name !== undefined);
      for (const each of all(group, "[data-line]")) {
        const on = each.dataset.line === name;
        each.classList.toggle("on", on);
        all(each, ".line").forEach((line) => line.classList.toggle("on", on));
      }
    };
    group.addEventListener("pointerover", light);
    group.addEventListener("focusin", light);
    group.addEventListener("pointerleave", light);
    group.addEventListener("focusout", light);
  }

  for (const viewer of all(document, ".viewer")) {
    const columns = all(viewer, ".sheet figure");
    const names = columns.map((column) => column.dataset.name);
    const select = (label, at) => {
      const list = make("select", { ariaLabel: label });
      names.forEach((name) => list.append(make("option", { textContent: name, value: name })));
      list.selectedIndex = at;
      return list;
    };
    const left = select("left of the cut", Math.max(0, names.indexOf(viewer.dataset.left)));
    const right = select("right of the cut", names.length - 1);
    const range = make("input", { type: "range", min: 0, max: 100, value: 50, step: 1 });
    range.setAttribute("aria-label", "place of the cut, in per cent");
    const choose = make("div", { className: "choose" });
    choose.append(left, range, right);
    const stage = make("div", { className: "stage" });
    const panes = all(columns[0], "img").map((image) => {
      const pane = make("div", { className: "pane" });
      if (image.title) pane.dataset.label = image.title;
      pane.append(make("img", { className: "under" }), make("img", { className: "over" }));
      stage.append(pane);
      return pane;
    });
    const cut = () => stage.style.setProperty("--cut", range.value + "%");
    const draw = () => {
      panes.forEach((pane, k) => {
        [[right, ".under"], [left, ".over"]].forEach(([list, place]) => {
          const source = all(columns[list.selectedIndex], "img")[k];
          Object.assign(pane.querySelector(place), { src: source.src, alt: source.alt });
        });
      });
      columns.forEach((column, k) =>
        column.classList.toggle("shown", k === left.selectedIndex || k === right.selectedIndex));
    };
    range.addEventListener("input", cut);
    left.addEventListener("change", draw);
    right.addEventListener("change", draw);
    const drag = (event) => {
      const pane = event.target.closest(".pane");
      if (!pane || !(event.buttons & 1)) return;
      const box = pane.getBoundingClientRect();
      range.value = Math.round((100 * (event.clientX - box.left)) / box.width);
      cut();
    };
    stage.addEventListener("pointerdown", drag);
    stage.addEventListener("pointermove", drag);
    cut();
    viewer.prepend(choose, stage);
    // enlarged only when it is seen: a long page opens at once
    new IntersectionObserver((seen, watch) => {
      if (seen.some((entry) => entry.isIntersecting)) { watch.disconnect(); draw(); }
    }, { rootMargin: "400px" }).observe(viewer);
  }
})();
