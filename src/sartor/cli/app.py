"""The commands by name. Their modules import what is slow to load only when a command runs."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from sartor.cli import (
    evaluate,
    events,
    exchange,
    index,
    looks,
    models,
    recommend,
    replay,
    search,
    serve,
    similar,
    train,
    workspace,
)


class _Commands(TyperGroup):
    """The commands; ``evaluate --events FILE``, the former name of ``replay FILE``, still works.

    An option of a command may also come before it: ``sartor --home x info`` is ``sartor info --home x``.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _in_order(self, args))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] == "evaluate" and any(arg.partition("=")[0] == "--events" for arg in args):
            args = ["replay", *args[1:]]
        return super().resolve_command(ctx, args)


def _in_order(group: TyperGroup, args: list[str]) -> list[str]:
    """The arguments with the options that came before the command right behind its name."""
    own, arity = _options_of(group), _arities(group)
    kept: list[str] = []
    moved: list[str] = []
    rest = list(args)
    while rest and rest[0].startswith("-") and (name := rest[0].partition("=")[0]) != "--":
        has_value = name not in own and arity.get(name, False) and "=" not in rest[0]
        (kept if name in own or name not in arity else moved).extend(rest[: 1 + has_value])
        del rest[: 1 + has_value]
    names: list[str] = []
    while moved and rest and (command := group.commands.get(rest[0])) is not None:
        names.append(rest.pop(0))
        if not isinstance(command, TyperGroup):
            break
        group = command
    return [*kept, *names, *moved, *rest]


def _arities(group: TyperGroup) -> dict[str, bool]:
    """Every option of all commands, and whether a value follows it."""
    arities: dict[str, bool] = {}
    for command in group.commands.values():
        arities |= _arities(command) if isinstance(command, TyperGroup) else _options_of(command)
    return arities


def _options_of(command: Any) -> dict[str, bool]:
    """The options of a command, and whether a value follows each."""
    options = [parameter for parameter in command.params if parameter.param_type_name == "option"]
    own = {name: not (option.is_flag or option.count) for option in options for name in option.opts}
    others = {name: False for option in options for name in option.secondary_opts}
    return {**own, **others, "--help": False}


app = typer.Typer(
    cls=_Commands,
    help="A visual recommendation engine for fashion catalogs.",
    epilog="Start with: sartor index PHOTOS, then: sartor similar PHOTO",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # with Rich, --help takes three times as long
)
app.command("index")(index.index)
app.command("similar")(similar.similar)
app.command("search")(search.search)
app.command("looks")(looks.looks)
app.command("outfit")(recommend.outfit)
app.command("duplicates")(similar.duplicates)
app.command("embed")(index.embed)
app.command("import")(exchange.import_)
app.command("export")(exchange.export)
app.command("evaluate")(evaluate.evaluate)
app.command("replay")(replay.replay)
app.command("for-you")(recommend.for_you)
app.command("trending")(recommend.trending)
app.add_typer(events.app, name="events")
app.command("train")(train.train)
app.command("train-text")(train.train_text)
app.add_typer(models.app, name="models")
app.command("serve")(serve.serve)
app.command("indexer")(serve.indexer)
app.command("studio")(serve.studio)
app.command("demo")(serve.demo)
app.add_typer(serve.keys, name="keys")
app.command("info")(workspace.info)
app.command("check")(workspace.check)
app.command("backup")(workspace.backup)
app.command("copy")(workspace.copy)


def _print_version(requested: bool) -> None:  # noqa: FBT001 - Typer passes it so
    if requested:
        from sartor import __version__

        typer.echo(f"sartor {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log to stderr.")] = False,
) -> None:
    if verbose:
        import logging

        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
