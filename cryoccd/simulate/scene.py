"""One scene of a set: ice, membranes, backdrop, particles and artefacts from one generator."""

from dataclasses import replace

import numpy as np

from cryoccd.records import Body, Debris, Scene
from cryoccd.scene.backdrop import read_backdrop
from cryoccd.scene.compose import place_particles
from cryoccd.scene.field import Field
from cryoccd.scene.ice import draw_thickness_A
from cryoccd.scene.membranes import Bilayer, render
from cryoccd.simulate.cast import Cast
from cryoccd.simulate.config import SimulateConfig

BODY_MARGIN_A = 500.0
"""Membranes are drawn so far beyond the field, from where the CTF still brings their signal."""


def draw_scene(config: SimulateConfig, cast: Cast, generator: np.random.Generator) -> Scene:
    """Everything that lies in one field."""
    scene, bilayers = draw_parts(config, cast, generator)
    drawn = [
        render(bilayer, config.shape_px, config.pixel_size_A, BODY_MARGIN_A) for bilayer in bilayers
    ]
    membranes = tuple(body for body in drawn if body is not None)
    return replace(scene, bodies=membranes + scene.bodies)


def draw_parts(
    config: SimulateConfig, cast: Cast, generator: np.random.Generator
) -> tuple[Scene, tuple[Bilayer, ...]]:
    """The scene without its membranes, and these as surfaces that can still be turned."""
    thickness_A = draw_thickness_A(config.ice, config.shape_px, generator)
    margin_A = max(kind.diameter_A for kind in cast.species) / 2
    labels = None
    if config.backdrop is not None:
        labels = read_backdrop(config.backdrop.path, config.shape_px, config.pixel_size_A)
    empty = Field(config.shape_px, config.pixel_size_A, thickness_A, margin_A, (), labels)
    bilayers: tuple[Bilayer, ...] = ()
    for law in config.membranes:
        bilayers += law.draw(empty, bilayers, generator)
    field = Field(config.shape_px, config.pixel_size_A, thickness_A, margin_A, bilayers, labels)
    particles = place_particles(cast.species, config.particles, field, generator)
    drawn = [
        thing
        for artefact in config.artefacts
        for thing in artefact.draw(field, cast.candidates, generator)
    ]
    bodies: list[Body] = []
    if config.backdrop is not None and labels is not None:
        bodies += labels.bodies(config.backdrop)
    bodies += [thing for thing in drawn if isinstance(thing, Body)]
    scene = Scene(
        particles=particles,
        species_names=cast.names,
        ice_thickness_A=thickness_A,
        shape_px=config.shape_px,
        pixel_size_A=config.pixel_size_A,
        debris=tuple(thing for thing in drawn if isinstance(thing, Debris)),
        bodies=tuple(bodies),
    )
    return scene, bilayers
