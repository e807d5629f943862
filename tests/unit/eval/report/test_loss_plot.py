from selfinstruct_eval.report.loss_plot import plot_losses


def test_curves_share_axes_that_begin_at_zero():
    plot = plot_losses({"seeds": [(0, 4.0), (50, 2.0)], "seeds+generated": [(100, 1.0)]})
    assert plot is not None
    assert [line.points for line in plot.lines] == ["0.00,0.00 50.00,50.00", "100.00,75.00"]
    assert [(t.position, t.label) for t in plot.y_ticks] == [(0, "0"), (25, "1"), (50, "2"), (75, "3"), (100, "4")]
    assert [t.label for t in plot.x_ticks] == ["25", "50", "75", "100"]
    assert (plot.lines[0].first, plot.lines[0].last, plot.lines[0].num_steps) == (4.0, 2.0, 50)


def test_a_long_training_is_averaged_to_at_most_400_points():
    plot = plot_losses({"seeds": [(step, 1.0 + step % 2) for step in range(1, 1001)]})
    assert plot is not None
    points = plot.lines[0].points.split()
    assert len(points) == 334  # groups of 3
    assert points[-1].startswith("100.00,")


def test_nothing_to_draw_gives_no_plot():
    assert plot_losses({}) is None
    assert plot_losses({"seeds": [(1, None)]}) is None


def test_steps_without_a_finite_loss_are_counted():
    plot = plot_losses({"seeds": [(1, 2.0), (2, None), (3, None)]})
    assert plot is not None and (plot.lines[0].last, plot.lines[0].num_steps, plot.lines[0].num_lost) == (2.0, 1, 2)


def test_a_single_step_and_a_loss_of_zero_can_be_drawn():
    plot = plot_losses({"seeds": [(1, 0.0)]})
    assert plot is not None and plot.lines[0].points == "100.00,100.00"
