"""A recipe is data: optimizer, learning rates and crops are what it says, and the same for every solver."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy

from rkbench import Recipe, data
from rkbench.augmentation import cropped, flipped
from rkbench.classification import Classification
from rkbench.errors import UserError
from rkbench.interface import make_solver
from rkbench.networks.tanh import tanh_net
from rkbench.train import Training

DIGITS = data.load("digits8")
FEW = replace(DIGITS, x_train=DIGITS.x_train[:100], y_train=DIGITS.y_train[:100])
SGD = {"optimizer": "sgd", "momentum": 0.9}
CHEN = Recipe(
    epochs=160,
    learning_rate=0.1,
    schedule="steps",
    milestones=(60 / 160, 100 / 160, 140 / 160),
    crop=4,
    **SGD,
)


def training(recipe, method="euler", seed=0, dataset=FEW):
    torch.manual_seed(seed)
    network = tanh_net(make_solver(method, steps=1), 64, 10)
    return Training(network, Classification(dataset, recipe), recipe, recipe.epochs, seed)


def rates(recipe, **options):
    """The learning rate of every step, taken with no gradients, which leaves the weights alone."""
    started = training(recipe, **options)
    steps = recipe.epochs * started.lesson.steps
    found = []
    for _ in range(steps):
        found.append(started.optimizer.param_groups[0]["lr"])
        started.optimizer.step()
        started.schedule.step()
    return torch.tensor(found, dtype=torch.float64)


def trained(recipe):
    started = training(recipe)
    started.run(lambda row: None)
    return [p.detach() for p in started.network.parameters()]


def by_hand(recipe, optimizer_of, schedule_of):
    """Train the network of `trained` by a loop that is written down."""
    torch.manual_seed(0)
    network = tanh_net(make_solver("euler", steps=1), 64, 10)
    order = torch.Generator().manual_seed(0)
    optimizer = optimizer_of(network.parameters())
    schedule = schedule_of(optimizer)
    for _ in range(recipe.epochs):
        places = torch.randperm(len(FEW.y_train), generator=order)
        for batch in places.split(recipe.batch_size):
            optimizer.zero_grad()
            cross_entropy(network(FEW.x_train[batch]), FEW.y_train[batch]).backward()
            optimizer.step()
            schedule.step()
    return [p.detach() for p in network.parameters()]


def test_the_default_recipe_is_adamw_under_one_cycle_bit_for_bit():
    recipe = Recipe(epochs=3, batch_size=32, learning_rate=1e-2, weight_decay=0.1)
    expected = by_hand(
        recipe,
        lambda weights: torch.optim.AdamW(weights, 1e-2, weight_decay=0.1, fused=True),
        lambda optimizer: torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=12),
    )
    assert all(map(torch.equal, trained(recipe), expected))


def test_sgd_has_the_momentum_of_the_recipe_whatever_the_schedule():
    recipe = Recipe(epochs=3, batch_size=32, learning_rate=0.1, **SGD)
    expected = by_hand(
        recipe,
        lambda weights: torch.optim.SGD(weights, 0.1, momentum=0.9),
        lambda optimizer: torch.optim.lr_scheduler.OneCycleLR(
            optimizer, 0.1, total_steps=12, cycle_momentum=False
        ),
    )
    for found, wanted in zip(trained(recipe), expected, strict=True):
        torch.testing.assert_close(found, wanted)


def test_the_rate_of_chen_drops_at_the_epochs_of_the_literature():
    found = rates(CHEN, dataset=DIGITS).reshape(160, -1)
    assert torch.equal(found.amin(1), found.amax(1))  # it changes between epochs only
    expected = torch.full((160,), 0.1, dtype=torch.float64)
    for epoch in (60, 100, 140):
        expected[epoch:] /= 10
    torch.testing.assert_close(found[:, 0], expected)


def test_a_training_of_fewer_epochs_drops_its_rate_at_the_same_shares():
    found = rates(replace(CHEN, epochs=8, batch_size=50)).reshape(8, 2)[:, 0]
    expected = torch.tensor([0.1] * 3 + [0.01] * 2 + [0.001] * 2 + [0.0001], dtype=torch.float64)
    torch.testing.assert_close(found, expected)


def test_steps_without_milestones_keep_their_rate():
    assert rates(Recipe(epochs=2, learning_rate=0.3, schedule="steps")).unique().tolist() == [0.3]


def test_crops_are_those_of_a_loop_that_is_written_down():
    x, margin = torch.arange(5 * 2 * 3 * 4.0).reshape(5, 2, 3, 4), 2
    found = cropped(x, margin, -1.0, torch.Generator().manual_seed(3))
    down, right = torch.randint(2 * margin + 1, (2, 5), generator=torch.Generator().manual_seed(3))
    for i, (image, top, left) in enumerate(zip(x, down, right, strict=True)):
        canvas = torch.full((2, 3 + 2 * margin, 4 + 2 * margin), -1.0)
        canvas[:, margin : margin + 3, margin : margin + 4] = image
        assert torch.equal(found[i], canvas[:, top : top + 3, left : left + 4])


def test_every_place_of_a_crop_occurs_equally_often():
    x = torch.zeros(9000, 1, 3, 3)
    x[:, :, 1, 1] = 1
    seen = cropped(x, 1, 0.0, torch.Generator().manual_seed(0)).sum((0, 1))
    assert (seen - 1000).abs().max() < 150  # five standard deviations


def test_a_crop_of_no_images_is_no_image():
    assert cropped(torch.zeros(0, 1, 8, 8), 2, 0.0, torch.Generator()).shape == (0, 1, 8, 8)


def test_an_image_is_mirrored_whole_or_left_alone_each_as_often():
    x = torch.arange(2 * 3 * 4.0).reshape(1, 2, 3, 4).expand(1000, -1, -1, -1)
    found = flipped(x, torch.Generator().manual_seed(0))
    mirrored = (found == x.flip(-1)).flatten(1).all(1)
    assert torch.equal(mirrored, (found != x).flatten(1).any(1))
    assert abs(mirrored.sum().item() - 500) < 80  # five standard deviations


def test_images_are_mirrored_after_they_are_moved():
    started = training(Recipe(epochs=1, batch_size=100, crop=1, flip=True))
    [(found, _)] = started.lesson.epoch(started.order)
    order = torch.Generator().manual_seed(0)
    x = FEW.x_train[torch.randperm(100, generator=order)]
    x = cropped(x, 1, FEW.x_train.min().item(), order)
    assert torch.equal(found, flipped(x, order))


@pytest.mark.parametrize("moved", [{"crop": 1}, {"flip": True}, {"crop": 1, "flip": True}])
def test_two_solvers_of_a_seed_see_the_same_images_and_two_epochs_do_not(moved):
    recipe = Recipe(epochs=2, batch_size=32, **moved)
    epochs = []
    for method in ("euler", "rk4"):
        started = training(recipe, method)
        torch.manual_seed(len(epochs))  # what a solver does with torch's random numbers is its own affair
        epochs.append([torch.cat([x for x, _ in started.lesson.epoch(started.order)]) for _ in range(2)])
    assert torch.equal(epochs[0][0], epochs[1][0])
    assert torch.equal(epochs[0][1], epochs[1][1])
    other = training(recipe, seed=1)
    assert not torch.equal(torch.cat([x for x, _ in other.lesson.epoch(other.order)]), epochs[0][0])


def test_an_image_is_moved_elsewhere_in_another_epoch():
    flat = replace(FEW, x_train=FEW.x_train[:1].expand(100, -1, -1, -1))
    started = training(Recipe(epochs=2, batch_size=100, crop=1), dataset=flat)
    [(first, _)], [(second, _)] = started.lesson.epoch(started.order), started.lesson.epoch(started.order)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("shift", [-5.0, 5.0])
def test_what_a_crop_uncovers_is_as_dark_as_the_data(shift):
    bright = replace(FEW, x_train=torch.full((100, 1, 8, 8), shift + 1.0))
    bright.x_train[0, 0, 0, 0] = shift
    started = training(Recipe(epochs=1, batch_size=100, crop=8), dataset=bright)
    [(x, _)] = started.lesson.epoch(started.order)
    assert x.unique().tolist() == [shift, shift + 1]


def test_labels_stay_with_their_images():
    x = torch.arange(100.0).reshape(-1, 1, 1, 1).expand(-1, -1, 8, 8)
    started = training(
        Recipe(epochs=1, batch_size=32, crop=1), dataset=replace(FEW, x_train=x, y_train=torch.arange(100))
    )
    for images, labels in started.lesson.epoch(started.order):
        assert torch.equal(images.amax((1, 2, 3)), labels.float())


@pytest.mark.parametrize("how", [{"crop": 2}, {"flip": True}])
def test_evaluation_sees_images_as_they_are(how):
    plain, moved = (training(Recipe(epochs=1, **options)) for options in ({}, how))
    assert plain.evaluate(plain.lesson.training()) == moved.evaluate(moved.lesson.training())


def test_the_recipe_of_chen_trains():
    started = training(replace(CHEN, epochs=4, crop=1), dataset=DIGITS)
    started.run(lambda row: None)
    assert started.curve[-1]["test_accuracy"] > 0.8


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"optimizer": "adam"}, "optimizer must be one of"),
        ({"schedule": "cosine"}, "schedule must be one of"),
        ({"momentum": 0.9}, "momentum is of optimizer='sgd'"),
        ({"milestones": (0.5,)}, "milestones are of schedule='steps'"),
        ({"schedule": "steps", "milestones": (60, 100)}, "give shares"),
        ({"schedule": "steps", "milestones": (float("nan"),)}, "give shares"),
        ({"crop": -1}, "crop must be 0 or more pixels"),
    ],
)
def test_a_recipe_that_would_not_be_followed_is_refused(values, sentence):
    with pytest.raises(UserError, match=sentence):
        Recipe(epochs=1, **values)
