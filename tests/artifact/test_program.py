"""A model's folder is a program: what it may do is known before TensorFlow is given it."""

from __future__ import annotations

import dataclasses
import shutil

import keras
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from lensdetect import network
from lensdetect.artifact import CARD_FILE, check_program, load_card, load_detector, shipped_detectors
from lensdetect.artifact.integrity import hash_files
from lensdetect.artifact.program import COMPUTING
from lensdetect.errors import ArtifactError
from lensdetect.search import committee_of
from lensdetect.survey import SURVEYS


def graph_ops(function) -> set[str]:
    """Names of all operations of a traced function, at any depth."""
    graph = function.get_concrete_function().graph.as_graph_def()
    return {node.op for nodes in (graph.node, *(f.node_def for f in graph.library.function)) for node in nodes}


def make_evil(folder, act):
    """Replace the program of a detector by one that acts when it scores, its card's hashes right."""

    @tf.function(input_signature=[tf.TensorSpec((None, 33, 33, 4), tf.float32, name="cutouts")])
    def serve(cutouts):
        with tf.control_dependencies([act()]):
            logit = tf.reduce_mean(cutouts, axis=(1, 2, 3))
        return {"logit": logit, "probability": tf.sigmoid(logit)}

    card = load_card(folder)
    for path in ("saved_model.pb", "fingerprint.pb", "variables"):
        shutil.rmtree(folder / path) if (folder / path).is_dir() else (folder / path).unlink()
    module = tf.Module()
    module.weight = tf.Variable(1.0)
    tf.saved_model.save(module, str(folder), signatures={"serving_default": serve, "embed": serve})
    card = dataclasses.replace(card, files_sha256=hash_files(folder))
    (folder / CARD_FILE).write_text(card.to_json())
    return folder


def test_a_program_that_writes_files_is_refused_before_it_is_loaded(copied, tmp_path, cutouts):
    written = tmp_path / "written.txt"
    evil = make_evil(copied, lambda: tf.io.write_file(str(written), tf.io.read_file(__file__)))
    message = r"must do nothing but compute, got operation ReadFile, operation WriteFile: a model's folder is a program"
    with pytest.raises(ArtifactError, match=message):
        load_detector(evil)
    with pytest.raises(ArtifactError, match="protect against damage, not against intent; .* with --trust-model"):
        committee_of([evil], SURVEYS["bologna"])
    assert not written.exists()
    load_detector(evil, trust_model=True)(cutouts)
    assert written.exists()


def test_what_saves_weights_may_be_called_by_nothing_else(copied, tmp_path):
    def act():
        return tf.raw_ops.SaveV2(
            prefix=str(tmp_path / "stolen"), tensor_names=["a"], shape_and_slices=[""], tensors=[tf.constant(1.0)]
        )

    with pytest.raises(ArtifactError, match=r"got .*a call of __inference_serve_\d+, which reads or writes files"):
        load_detector(make_evil(copied, act))
    assert not list(tmp_path.glob("stolen*"))


@pytest.mark.parametrize("operation", ["PyFunc", "EagerPyFunc", "LoadLibrary", "an_own_function"])
def test_no_name_that_is_not_listed_passes_at_any_depth(copied, operation):
    path = copied / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    model.meta_graphs[0].graph_def.library.function[-1].node_def[0].op = operation
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ArtifactError, match=f"got operation {operation}:"):
        check_program(copied)


def test_other_things_that_run_when_a_model_is_loaded(copied):
    path = copied / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    graph = model.meta_graphs[0]
    graph.object_graph_def.nodes.add().resource.device = "CPU"
    graph.object_graph_def.nodes.add().user_object.identifier = "_tf_keras_layer"
    graph.asset_file_def.add().filename = "table.txt"
    path.write_bytes(model.SerializeToString())
    (copied / "saved_model.pbtxt").touch()
    with pytest.raises(
        ArtifactError,
        match=r"got a second program, saved_model\.pbtxt, an object _tf_keras_layer, an object of kind resource, "
        r"files of its own \(assets\):",
    ):
        check_program(copied)


@pytest.mark.parametrize("content", [b"", b"\x00\xff not a graph", b"\x08\x01" * 50])
def test_what_is_no_graph_is_one_error(copied, content):
    (copied / "saved_model.pb").write_bytes(content)
    with pytest.raises(ArtifactError, match=r"saved_model\.pb must (be a readable SavedModel|hold one graph, got 0)"):
        check_program(copied)


def test_detectors_of_the_package_do_nothing_but_compute(saved):
    for folder in (saved, *shipped_detectors().values()):
        check_program(folder)


def test_every_activation_that_a_spec_can_name_is_listed():
    spec = tf.TensorSpec((None, 4), tf.float32)
    names = [name for name in vars(keras.activations) if not name.startswith("_")]
    used = set()
    for one in {
        name: keras.activations.get(name) for name in set(names) - {"deserialize", "get", "serialize"}
    }.values():
        used |= graph_ops(tf.function(lambda x, one=one: one(x), input_signature=[spec]))
    assert used <= COMPUTING, sorted(used - COMPUTING)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(network.SYSTEMS))
def test_every_network_of_the_zoo_is_listed(name):
    model = network.build_detector(name)
    both = keras.Model(model.input, [model.output, model.get_layer("embedding").output])
    spec = tf.TensorSpec((None, *model.input.shape[1:]), tf.float32)
    used = graph_ops(tf.function(lambda cutouts: both(cutouts, training=False), input_signature=[spec]))
    assert used <= COMPUTING, sorted(used - COMPUTING)
    keras.backend.clear_session()
