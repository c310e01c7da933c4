"""Groups of commands that say which one somebody may have meant.

What belongs here: the class of all groups. What does not: any command.
"""

from __future__ import annotations

import click

from olist_pipeline.near import nearest


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
