"""Every attack there is: a module for each of ATT&CK's tactics, with a tuple `ATTACKS`."""

from importlib import import_module
from pkgutil import iter_modules

from attack import Attack

ATTACKS: tuple[Attack, ...] = tuple(
    attack
    for module in sorted(module.name for module in iter_modules(__path__))
    for attack in import_module(f"{__name__}.{module}").ATTACKS
)
