"""What is seen while the demo waits, on a terminal and elsewhere."""

import io

from rich.console import Console

from aasnode.demo.progress import busy, counting


def console(*, terminal: bool) -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, force_terminal=terminal, width=100), text


def test_elsewhere_each_change_is_one_line_and_nothing_is_said_twice() -> None:
    talk, text = console(terminal=False)
    with counting(talk) as show:
        for analysed, objects in ((0, None), (0, None), (3, None), (3, None), (6, 8)):
            show({"films analysed": (analysed, 6), "objects delivered": (0, objects)})
    lines = [line.partition(" s  ")[2] for line in text.getvalue().splitlines()]
    assert lines == [
        "films analysed 0 of 6, objects delivered 0",
        "films analysed 3 of 6, objects delivered 0",
        "films analysed 6 of 6, objects delivered 0 of 8",
    ]


def test_elsewhere_what_takes_its_time_is_said_before_and_after() -> None:
    talk, text = console(terminal=False)
    with busy(talk, "the node loads its model"):
        assert "the node loads its model …" in text.getvalue()
    assert text.getvalue().splitlines()[-1].strip() == "the node loads its model: 0 s"


def test_on_a_terminal_there_are_bars_that_stay() -> None:
    talk, text = console(terminal=True)
    with busy(talk, "the node loads its model"), counting(Console(file=io.StringIO())) as unseen:
        unseen({})
    with counting(talk) as show:
        show({"films analysed": (6, 6), "objects delivered": (8, 8)})
    assert "the node loads its model" in text.getvalue()
    assert "films analysed" in text.getvalue()
    assert "8/8" in text.getvalue()
