#!/usr/bin/python3
"""plot_hashing - draws how evenly policies by key share numbered requests, as SVG.

    out/bench/hashing shares | test/bench/plot_hashing.py >doc/hashing-shares.svg

Reads a line for each policy and number of servers: its name and the requests of each
server, between tabs. One group of bars for each number of servers; the bar of a policy
goes up to the share of its heaviest server, and a dash across it marks the lightest. The
line over a group is what each server should have.
"""

import sys
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 78, 50
PLOT_WIDTH, PLOT_HEIGHT = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
GAP = 0.16              # of a group, on each side of its bars
LEGEND_WIDTHS = (78, 118, 142, 86, 110)

# Readable on white and on black; what is not coloured follows the reader's theme.
COLOURS = ("#d1495b", "#d98e04", "#2f7fd1", "#1f9e89", "#9467bd")
STYLE = """
  text { font: 13px sans-serif; fill: #24292f }
  .title { font-size: 15px; font-weight: bold }
  .axis { stroke: #24292f; stroke-width: 1 }
  .grid { stroke: #8c959f; stroke-width: 0.5; stroke-dasharray: 2 3 }
  .due { stroke: #24292f; stroke-width: 1.5 }
  .least { stroke: #24292f; stroke-width: 2.5 }
  .paper { fill: #ffffff }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .axis, .due, .least { stroke: #e6edf3 }
    .paper { fill: #0d1117 }
  }
"""


def read(lines):
    """The shares of all servers in percent, by policy and number of servers."""
    shares = {}
    for line in lines:
        name, *hits = line.rstrip("\n").split("\t")
        hits = [int(n) for n in hits]
        shares.setdefault(name, {})[len(hits)] = [100 * n / sum(hits) for n in hits]
    if not shares:
        sys.exit("plot_hashing: nothing to draw; it reads what "
                 "\"out/bench/hashing shares\" prints")
    return shares


def y_of(percent):
    return TOP + PLOT_HEIGHT * (1 - percent / 100)


def text(x, y, words, anchor="middle", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(words)}</text>'


def line(x1, y1, x2, y2, kind):
    return (f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" '
            f'y2="{y2:.1f}"/>')


def frame(counts):
    """Title, axes and their words."""
    yield text(LEFT, 22, "10,000 numbered requests: the share of the heaviest server",
               "start", ' class="title"')
    for percent in range(0, 101, 20):
        y = y_of(percent)
        yield line(LEFT, y, WIDTH - RIGHT, y, "grid" if percent else "axis")
        yield text(LEFT - 8, y + 4, str(percent), "end")
    yield line(LEFT, TOP, LEFT, TOP + PLOT_HEIGHT, "axis")
    middle = TOP + PLOT_HEIGHT / 2
    yield text(18, middle, "share of all requests (%)", more=
               f' transform="rotate(-90 18 {middle:.1f})"')
    yield text(LEFT + PLOT_WIDTH / 2, HEIGHT - 10, "servers in the pool (number)")
    for i, count in enumerate(counts):
        yield text(LEFT + PLOT_WIDTH * (i + 0.5) / len(counts), HEIGHT - BOTTOM + 20,
                   str(count))


def legend(names):
    x = LEFT
    for name, colour, width in zip(names, COLOURS, LEGEND_WIDTHS):
        yield f'<rect x="{x}" y="34" width="12" height="12" fill="{colour}"/>'
        yield text(x + 17, 45, name, "start")
        x += width
    yield line(LEFT, 60, LEFT + 24, 60, "due")
    yield text(LEFT + 30, 64, "an even share", "start")
    yield line(LEFT + 142, 60, LEFT + 158, 60, "least")
    yield text(LEFT + 166, 64, "across a bar: the lightest server", "start")


def bars(shares, counts):
    group = PLOT_WIDTH / len(counts)
    width = group * (1 - 2 * GAP) / len(shares)
    for i, count in enumerate(counts):
        begin = LEFT + group * (i + GAP)
        for k, by_count in enumerate(shares.values()):
            x, of = begin + k * width, by_count[count]
            yield (f'<rect x="{x + 1:.1f}" y="{y_of(max(of)):.1f}" width="{width - 2:.1f}" '
                   f'height="{y_of(0) - y_of(max(of)):.1f}" fill="{COLOURS[k]}"/>')
            yield line(x + 3, y_of(min(of)), x + width - 3, y_of(min(of)), "least")
        even = y_of(100 / count)
        yield line(begin - 6, even, begin + group * (1 - 2 * GAP) + 6, even, "due")


def main():
    shares = read(sys.stdin)
    counts = sorted(next(iter(shares.values())))
    body = [*frame(counts), *legend(shares), *bars(shares, counts)]
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
          f'role="img" aria-label="Share of the heaviest server, by policy">')
    print(f"<style>{STYLE}</style>")
    print(f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>')
    print("\n".join(body))
    print("</svg>")


main()
