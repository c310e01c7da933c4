"""Groups of commands that say which one somebody may have meant, and help that fits the terminal.

What belongs here: the class of all groups, and the form of all help. What does not: any command.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable

import click

from olist_pipeline.near import nearest

LEAST_WIDTH = 30
"""Help is no narrower than that, whatever the terminal is."""


class Group(click.Group):
    """A group that names the nearest command to one that there is not."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """See `click.Group.resolve_command`."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = nearest(args[0], self.list_commands(ctx))
            if near is None:
                raise
            raise click.UsageError(f"{error.message.rstrip('.')}; did you mean {near}?", ctx) from None


class NarrowHelp(click.HelpFormatter):
    """Help as wide as the terminal: click's own is never narrower than 50 letters, of which options take 30."""

    def __init__(self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None) -> None:
        if width is None:
            width = max(min(shutil.get_terminal_size().columns, max_width or 80) - 2, LEAST_WIDTH)
        super().__init__(indent_increment, width, max_width)

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """See `click.HelpFormatter.write_dl`."""
        super().write_dl(rows, min(col_max, self.width // 2 - 8), col_spacing)


click.Context.formatter_class = NarrowHelp
