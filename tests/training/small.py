"""A training that is over in seconds."""

from __future__ import annotations

from sartor.training.recipe import Augmentation, Network, Recipe, Sampling, Schedule, Split

MILD = Augmentation(
    rotation_deg=5, min_crop=0.9, perspective=0.02, lighting=0.1, blur=0, jpeg=0, low_resolution=0, background=0,
    erase=0,
)  # fmt: skip


def small_recipe(*, steps: int, validate_every: int | None = None, base: str = "mobilenet_v2") -> Recipe:
    return Recipe(
        id="small",
        base=base,
        seed=3,
        split=Split(share=0.2, near_duplicates=False),
        network=Network(side_px=32, dimension=32, freeze_until=""),
        sampling=Sampling(views=32),
        augmentation=MILD,
        schedule=Schedule(
            steps=steps,
            learning_rate=4e-3,
            validate_every=validate_every or max(1, steps),
            averaging=0.9,
        ),
    )
