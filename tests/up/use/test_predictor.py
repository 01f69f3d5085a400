import pytest

from up.errors import InputError
from up.use.predictor import load_predictor


def test_a_run_of_another_model_is_refused_with_one_that_fits():
    with pytest.raises(InputError, match=r"no mixing predictor \(received 'builtin:tiny'\): name builtin:mixing"):
        load_predictor("builtin:tiny")


def test_a_name_without_a_run_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no run here"):
        load_predictor(str(tmp_path))
