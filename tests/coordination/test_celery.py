from coordination.celery import app
from coordination.deliveries.tasks import drain


def test_tasks_are_published_by_our_app_and_not_by_a_default_one():
    assert drain.app is app


def test_beat_table_names_tasks_that_exist():
    app.loader.import_default_modules()

    assert [entry["task"] for entry in app.conf.beat_schedule.values()] == ["deliveries.go_round"]
    assert app.tasks.keys() >= {entry["task"] for entry in app.conf.beat_schedule.values()}


def test_nothing_is_kept_or_tried_again_by_the_broker():
    assert app.conf.result_backend is None
    assert app.conf.task_acks_late is False
    assert app.conf.worker_prefetch_multiplier == 1
