"""The picture of test_kv_memory.py: an SVG, drawn without any library. One panel for each
program, with two bars for each step, and the number of threads under it. Its colours follow
the reader's, light or dark."""

from html import escape

WIDTH, PANEL_HEIGHT = 880, 290
LEFT, RIGHT, TOP, BOTTOM = 72, 16, 52, 64       # of a panel: what is around the bars
HEADING = 64
BAR, GAP = 34, 4
MIB = 1 << 20
SERIES = {"heap": "in use", "resident": "resident"}

STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f; }
  .title { font-size: 17px; font-weight: 600; }
  .panel { font-size: 15px; font-weight: 600; }
  .small { font-size: 11.5px; fill: #57606a; }
  .grid { stroke: #d0d7de; }
  .axis { stroke: #57606a; }
  .paper { fill: #ffffff; }
  .heap { fill: #0969da; }
  .resident { fill: #e0a458; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .small { fill: #9da7b1; }
    .grid { stroke: #30363d; }
    .axis { stroke: #9da7b1; }
    .paper { fill: #0d1117; }
    .heap { fill: #58a6ff; }
    .resident { fill: #b8772d; }
  }"""


def text(x, y, said, kind="", anchor="middle"):
    kind = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{kind}>{escape(said)}</text>'


def line(x1, y1, x2, y2, kind):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'class="{kind}"/>')


def scale_of(highest):
    """The step of the axis, and its end: at most six round numbers."""
    for step in (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000):
        if highest <= step * 6:
            break
    return step, step * max(1, -int(-highest // step))


def axis(y_of, step, end):
    parts = []
    for i in range(round(end / step) + 1):
        y = y_of(i * step)
        parts.append(line(LEFT, y, WIDTH - RIGHT, y, "grid" if i else "axis"))
        parts.append(text(LEFT - 8, y + 4, f"{i * step:g}", "small", "end"))
    return parts


def bars(x, y_of, step):
    """Those of one step, with their figures above."""
    parts = []
    for i, kind in enumerate(SERIES):
        size = step[kind] / MIB
        at = x + (i - 1) * (BAR + GAP) + GAP / 2
        if size > 0:
            parts.append(f'<rect x="{at:.1f}" y="{y_of(size):.1f}" width="{BAR}" '
                         f'height="{y_of(0) - y_of(size):.1f}" class="{kind}"/>')
        parts.append(text(at + BAR / 2, y_of(size) - 5, f"{size:.1f}" if size > 0 else "0",
                          "small"))
    return parts


def panel(name, names, steps, top):
    """One program's, from `top` on."""
    step, end = scale_of(max(one[kind] for one in steps for kind in SERIES) / MIB)
    bottom = top + PANEL_HEIGHT - BOTTOM
    height = bottom - top - TOP

    def y_of(mib):
        return bottom - mib / end * height

    middle = top + TOP + height / 2
    parts = [text(LEFT, top + 22, name, "panel", "start"),
             f'<text x="22" y="{middle:.1f}" text-anchor="middle" class="small" '
             f'transform="rotate(-90 22 {middle:.1f})">memory, MiB</text>',
             *axis(y_of, step, end)]
    width = (WIDTH - LEFT - RIGHT) / len(steps)
    for i, one in enumerate(steps):
        x = LEFT + (i + 0.5) * width
        parts += bars(x, y_of, one)
        parts.append(text(x, bottom + 20, f"{i + 1}  {names[i]}"))
        count = one["threads"]
        parts.append(text(x, bottom + 38, f"{count} thread{'' if count == 1 else 's'}",
                          "small"))
    return parts


def legend():
    parts = []
    for i, (kind, said) in enumerate(SERIES.items()):
        x = LEFT + i * 110
        parts.append(f'<rect x="{x}" y="40" width="14" height="14" class="{kind}"/>')
        parts.append(text(x + 20, 52, said, anchor="start"))
    return parts


def draw(title, names, programs):
    """The SVG's text. programs: {name: a dict of heap, resident and threads for each of the
    steps, whose names are these}."""
    height = HEADING + PANEL_HEIGHT * len(programs)
    parts = [f'<rect width="{WIDTH}" height="{height}" class="paper"/>',
             text(LEFT, 26, title, "title", "start"), *legend()]
    for i, (name, steps) in enumerate(programs.items()):
        parts += panel(name, names, steps, HEADING + i * PANEL_HEIGHT)
    inside = "\n".join(f"  {part}" for part in parts)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}" role="img">\n'
            f"  <title>{escape(title)}</title>\n  <style>{STYLE}\n  </style>\n"
            f"{inside}\n</svg>\n")
