# SPDX-License-Identifier: GPL-2.0-only
"""The table and the chart of make bench, and what its goals are.

A result is kernel -> "layout/rule" -> measurement, as tests/guest/map_bench.c
prints it and scripts/bench merges it; "rule" says who chose the IOVA: the kernel,
or the program, which takes one that is congruent with the physical address.
"""

import dataclasses
import html
import math

BASE, OURS = "base-gpu", "plain"
RULES = ("kernel", "congruent")
OPERATIONS = ("map", "unmap")

RATIO_GOAL, RATIO_AIM = 1.05, 0.7
RANGE_GOAL, RANGE_AIM = 300, 150
RANGE_BYTES = 16        # of the list, a range
LIST_SITE = "vfio_pci_dma_buf_map_phys"

ONE_RANGE = ("1x64M", "1x1G", "1x64M-odd")
# Of this one 7.3 cannot make large entries, so there is nothing to be equal to
UNJUDGED = ("1x64M-odd",)
MANY_RANGES = {"64x2M": 64, "512x2M": 512}
SINGLE = "1x2M"
MEMFDS = ("memfd-64M", "memfd-1G")


@dataclasses.dataclass
class Row:
    """One line of the table; a group's lines stand together."""

    group: str
    what: str
    base: str
    ours: str
    figure: str = ""
    goal: str = ""
    verdict: str = ""
    missing: bool = False

    def plain(self):
        return dataclasses.asdict(self)


def get(results, kernel, layout, rule):
    """The measurement, or None if it was refused or is not there."""
    found = results.get(kernel, {}).get(f"{layout}/{rule}")
    return found if found and not found["error"] else None


def shown(results, kernel, layout, rule, what):
    """What a cell has in place of a figure, if there is none."""
    found = results.get(kernel, {}).get(f"{layout}/{rule}")
    if not found:
        return "missing"
    return found["error"] or what(found)


def judge(value, goal, aim):
    if value > goal:
        return "OVER"
    return "ok, aim met" if value <= aim else "ok"


def cost_row(results, layout, rule, operation):
    def cell(kernel):
        return shown(results, kernel, layout, rule,
                     lambda m: f"{m[operation]['min']:,}")

    ours = get(results, OURS, layout, rule)
    base = get(results, BASE, layout, rule)
    row = Row(layout, f"{operation} {layout}, {rule} IOVA", cell(BASE), cell(OURS),
              missing=not ours or not base)
    if not row.missing:
        ratio = ours[operation]["min"] / base[operation]["min"]
        row.figure = f"{ratio:.3f} x"
        if layout not in UNJUDGED + MEMFDS:
            row.goal = f"<= {RATIO_GOAL} (aim {RATIO_AIM})"
            row.verdict = judge(ratio, RATIO_GOAL, RATIO_AIM)
    return row


def each_range(results, layout, rule, operation):
    """Instructions for a range beyond the first, or None."""
    many = get(results, OURS, layout, rule)
    one = get(results, OURS, SINGLE, rule)
    if not many or not one:
        return None
    return ((many[operation]["min"] - one[operation]["min"])
            / (MANY_RANGES[layout] - 1))


def range_row(results, layout, rule, operation):
    def cell(kernel):
        return shown(results, kernel, layout, rule,
                     lambda m: f"{m[operation]['min']:,}")

    value = each_range(results, layout, rule, operation)
    row = Row(layout, f"{operation} {layout}, {rule} IOVA", cell(BASE), cell(OURS),
              missing=value is None or cell(BASE) == "missing")
    if value is not None:
        row.figure = f"{value:.1f} a range"
        row.goal = f"<= {RANGE_GOAL} (aim {RANGE_AIM})"
        row.verdict = judge(value, RANGE_GOAL, RANGE_AIM)
    return row


def lost_row(results, layout, operation):
    """How long a reset of the exporter takes the mapping away; not measured on the base."""
    ours = get(results, OURS, layout, "kernel")
    missing = not ours or operation not in ours
    return Row("lost", f"{operation} {layout}, exporter's memory off and on", "-",
               "missing" if missing else f"{ours[operation]['min']:,}", missing=missing)


def leaves_text(leaves):
    return " + ".join(f"{leaves[size]} x {size}" for size in ("1G", "2M", "4K")
                      if leaves[size]) or "none"


def leaf_row(results, layout, rule):
    def cell(kernel):
        return shown(results, kernel, layout, rule, lambda m:
                     leaves_text(m["leaves"]) if "leaves" in m else "not read")

    row = Row("leaves", f"leaf entries {layout}, {rule} IOVA", cell(BASE), cell(OURS))
    ours = get(results, OURS, layout, rule)
    if not ours or "leaves" not in ours:
        row.missing = True
        return row
    row.figure = f"least {leaves_text(ours['least'])}"
    row.goal = "equal to the least"
    row.verdict = "ok" if ours["leaves"] == ours["least"] else "OVER"
    if not ours["congruent"]:
        row.goal += " for this IOVA"
    return row


def held(measurement, key, site=None):
    return sum(entry[key] for entry in measurement.get("held", [])
               if site is None or entry["site"].startswith(site))


def held_row(results, layout, rule="kernel"):
    def cell(kernel):
        return shown(results, kernel, layout, rule, lambda m:
                     f"{held(m, 'requested'):,} ({held(m, 'allocated'):,})")

    ours = get(results, OURS, layout, rule)
    row = Row("held", f"bytes held {layout} (allocated)", cell(BASE), cell(OURS),
              missing=not ours or not held(ours, "requested"))
    return row


def list_row(results):
    """Does a range cost the list what it must, and how large is the header?"""
    layout = max(MANY_RANGES, key=MANY_RANGES.get)
    many = get(results, OURS, layout, "kernel")
    one = get(results, OURS, SINGLE, "kernel")
    row = Row("held", f"bytes of the list {layout} (allocated)", "-", "missing", missing=True)
    if not many or not one or not held(one, "requested", LIST_SITE):
        return row
    row.missing = False
    small = held(one, "requested", LIST_SITE)
    large = held(many, "requested", LIST_SITE)
    value = (large - small) / (MANY_RANGES[layout] - 1)
    row.ours = f"{large:,} ({held(many, 'allocated', LIST_SITE):,})"
    row.figure = f"{value:.1f} a range + {small - RANGE_BYTES}"
    row.goal = f"<= {RANGE_BYTES} a range"
    row.verdict = judge(value, RANGE_BYTES, RANGE_BYTES).split(",")[0]
    return row


def rows(results):
    found = []
    for layout in ONE_RANGE:
        found += [cost_row(results, layout, rule, operation)
                  for rule in RULES for operation in OPERATIONS]
    for layout in MANY_RANGES:
        found += [range_row(results, layout, rule, operation)
                  for rule in RULES for operation in OPERATIONS]
    for layout in MEMFDS:
        found += [cost_row(results, layout, "kernel", operation)
                  for operation in OPERATIONS]
    for layout in (*ONE_RANGE, *MANY_RANGES):
        found += [lost_row(results, layout, operation) for operation in ("lost", "back")]
    for layout in (SINGLE, *ONE_RANGE, *MANY_RANGES):
        found += [leaf_row(results, layout, rule) for rule in RULES]
    for layout in (SINGLE, *MANY_RANGES):
        found.append(held_row(results, layout))
    found.append(list_row(results))
    return found


def table(found, releases):
    head = ("", "base", "series", "figure", "goal", "")
    lines = [head] + [(r.what, r.base, r.ours, r.figure, r.goal,
                       r.verdict or ("MISSING" if r.missing else ""))
                      for r in found]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    text = [f"Instructions (one is one nanosecond of the VM's time); base is "
            f"Linux {releases.get(BASE)}, series is {releases.get(OURS)}", ""]
    group = None
    for line, row in zip(lines, [None, *found]):
        if row and row.group != group:
            group = row.group
            text.append("-" * (sum(widths) + 2 * len(widths) - 2))
        cells = [line[0].ljust(widths[0]), line[1].rjust(widths[1]),
                 line[2].rjust(widths[2])]
        cells += [line[i].ljust(widths[i]) for i in range(3, len(head))]
        text.append("  ".join(cells).rstrip())
    judged = [r for r in found if r.verdict]
    over = sum(r.verdict == "OVER" for r in judged)
    text += ["", f"{len(judged) - over} of {len(judged)} goals met"
             + (f", {over} over" if over else "")]
    return "\n".join(text)


# The chart

BAR, GAP, LEFT, RIGHT, WIDTH = 13, 9, 210, 110, 900
LOWEST, HIGHEST = 1e3, 1e9
COLOURS = {BASE: "#9aa0a6", OURS: "#1f6fb2"}
STYLE = ("text{font:12px sans-serif;fill:#202124}"
         ".t{font-size:15px;font-weight:bold}.s{fill:#5f6368;font-size:11px}"
         ".g{stroke:#dadce0}.l{stroke:#c5221f;stroke-dasharray:4 3}")


class Chart:
    """SVG elements from the top to the bottom."""

    def __init__(self):
        self.y = 0
        self.body = []

    def text(self, x, y, text, cls="", anchor="start"):
        self.body.append(f'<text x="{x:.0f}" y="{y:.0f}" class="{cls}" '
                         f'text-anchor="{anchor}">{html.escape(text)}</text>')

    def line(self, x, top, bottom, cls):
        self.body.append(f'<line x1="{x:.0f}" x2="{x:.0f}" y1="{top:.0f}" '
                         f'y2="{bottom:.0f}" class="{cls}"/>')

    def bar(self, width, colour, label):
        if width > 0:
            self.body.append(
                f'<rect x="{LEFT}" y="{self.y}" width="{width:.1f}" '
                f'height="{BAR}" rx="2" fill="{colour}"/>')
        self.text(LEFT + max(width, 0) + 5, self.y + BAR - 2, label, "s")
        self.y += BAR + 1

    def title(self, title, subtitle):
        self.y += 26
        self.text(16, self.y, title, "t")
        self.y += 17
        self.text(16, self.y, subtitle, "s")
        self.y += 14


def plot_width():
    return WIDTH - LEFT - RIGHT


def costs(chart, results):
    chart.title("Instructions of IOMMU_IOAS_MAP_FILE and IOMMU_IOAS_UNMAP",
                "logarithmic; the kernel chooses the IOVA")
    decades = math.log10(HIGHEST / LOWEST)
    top, marks = chart.y, len(chart.body)

    def scale(value):
        return plot_width() * math.log10(max(value, LOWEST) / LOWEST) / decades

    for layout in (*ONE_RANGE, *MANY_RANGES, *MEMFDS):
        for operation in OPERATIONS:
            chart.text(LEFT - 8, chart.y + BAR + 4, f"{operation} {layout}",
                       anchor="end")
            for kernel in (BASE, OURS):
                found = get(results, kernel, layout, "kernel")
                label = shown(results, kernel, layout, "kernel",
                              lambda m, op=operation: f"{m[op]['min']:,}")
                chart.bar(scale(found[operation]["min"]) if found else 0,
                          COLOURS[kernel], label)
            chart.y += GAP
    for decade in range(int(decades) + 1):
        x = LEFT + plot_width() * decade / decades
        chart.text(x, chart.y + 8, f"{LOWEST * 10 ** decade:,.0f}", "s",
                   "middle")
        chart.line(x, top, chart.y - 4, "g")
    # The grid goes below the bars
    grid = [e for e in chart.body[marks:] if e.startswith("<line")]
    rest = [e for e in chart.body[marks:] if not e.startswith("<line")]
    chart.body[marks:] = grid + rest
    chart.y += 16


def per_range(chart, results):
    chart.title("Instructions for each further range of 2 MiB",
                "of the series; the base refuses more than one range")
    values = [(f"{operation} {layout}, {rule}",
               each_range(results, layout, rule, operation))
              for layout in MANY_RANGES for rule in RULES
              for operation in OPERATIONS]
    largest = max([RANGE_GOAL * 1.2] + [v for _, v in values if v])
    top = chart.y
    for name, value in values:
        chart.text(LEFT - 8, chart.y + BAR - 2, name, anchor="end")
        chart.bar(plot_width() * max(value or 0, 0) / largest, COLOURS[OURS],
                  "missing" if value is None else f"{value:.1f}")
        chart.y += GAP
    for name, value in (("aim", RANGE_AIM), ("goal", RANGE_GOAL)):
        x = LEFT + plot_width() * value / largest
        chart.line(x, top - 4, chart.y, "l")
        chart.text(x, chart.y + 12, f"{name} {value}", "s", "middle")
    chart.y += 18


def legend(chart, releases):
    for kernel, name in ((BASE, "base, Linux"), (OURS, "with the series,")):
        chart.body.append(f'<rect x="16" y="{chart.y + 8}" width="{BAR}" '
                          f'height="{BAR}" rx="2" fill="{COLOURS[kernel]}"/>')
        chart.text(36, chart.y + 19, f"{name} {releases.get(kernel)}")
        chart.y += 18


def svg(results, releases):
    chart = Chart()
    costs(chart, results)
    per_range(chart, results)
    legend(chart, releases)
    height = chart.y + 20
    return "\n".join(
        ["<!-- SPDX-License-Identifier: GPL-2.0-only -->",
         f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
         f'height="{height}" viewBox="0 0 {WIDTH} {height}" role="img" '
         'aria-label="What mapping device memory costs">',
         f"<style>{STYLE}</style>",
         f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
         *chart.body, "</svg>", ""])
