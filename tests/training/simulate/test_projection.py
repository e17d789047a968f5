"""The projection against geometry that can be written down."""

import numpy as np

from aasnode.training.simulate.materials import Layer
from aasnode.training.simulate.meshes import IDENTITY, Bone, Material, shell
from aasnode.training.simulate.projection import Beam, Placed, thickness_maps
from aasnode.training.simulate.solids import Grid, ellipsoid

BEAM = Beam(
    source_mm=(1500.0, 0.0, 0.0), detector_x_mm=-300.0, origin_mm=(-30.0, 30.0), rows=301, columns=301, pixel_mm=0.2
)
RADIUS_MM = 20.0


def test_a_sphere_is_as_thick_as_geometry_says_at_every_pixel() -> None:
    grid = Grid((-24, -24, -24), (24, 24, 24), 0.6)
    sphere = shell(ellipsoid(grid.axes, (0, 0, 0), (RADIUS_MM,) * 3), grid, 0.0, {Material.SOFT: 1.0})
    placed = Placed(bone=Bone(shells=(sphere,), points={}), transform=IDENTITY, layers={Material.SOFT: Layer.SOFT})

    thickness = thickness_maps([placed], BEAM)[Layer.SOFT]

    y = BEAM.origin_mm[0] + np.arange(BEAM.columns) * BEAM.pixel_mm
    z = BEAM.origin_mm[1] - np.arange(BEAM.rows) * BEAM.pixel_mm
    to_pixel = np.stack(np.broadcast_arrays(-1800.0, y[None, :], z[:, None]), axis=-1)
    to_pixel /= np.linalg.norm(to_pixel, axis=-1, keepdims=True)
    past_centre_mm2 = 1500.0**2 * (1 - to_pixel[..., 0] ** 2)
    chord = 2 * np.sqrt(np.maximum(RADIUS_MM**2 - past_centre_mm2, 0))
    well_inside = chord > 5
    assert abs(thickness.max() - 2 * RADIUS_MM) < 0.02
    assert abs((thickness - chord)[well_inside].mean()) < 0.03
    assert np.abs((thickness - chord)[well_inside]).max() < 0.25
    assert thickness[chord == 0].max() < 1.5  # the rim of a faceted sphere, and no leak beyond it
    assert thickness[past_centre_mm2 > (RADIUS_MM + 0.5) ** 2].max() == 0


def test_two_materials_of_one_shell_share_its_thickness() -> None:
    grid = Grid((-8, -8, -8), (8, 8, 8), 0.5)
    ball = shell(
        ellipsoid(grid.axes, (0, 0, 0), (6, 6, 6)), grid, 0.0, {Material.CORTICAL: 0.25, Material.CANCELLOUS: 0.75}
    )
    layers = {Material.CORTICAL: Layer.C1_CORTICAL, Material.CANCELLOUS: Layer.C1_CANCELLOUS}
    placed = Placed(bone=Bone(shells=(ball,), points={}), transform=IDENTITY, layers=layers)

    maps = thickness_maps([placed], BEAM)

    np.testing.assert_allclose(maps[Layer.C1_CANCELLOUS], 3 * maps[Layer.C1_CORTICAL], rtol=1e-5, atol=1e-5)


def test_a_plane_through_the_patient_is_magnified_evenly() -> None:
    a, b = BEAM.pixel((0.0, -10.0, 5.0)), BEAM.pixel((0.0, 14.0, 5.0))

    assert np.isclose((b.x - a.x) * BEAM.pixel_mm, 24 * BEAM.magnification())
    assert a.y == b.y
