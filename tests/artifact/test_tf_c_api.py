"""The folder under TensorFlow's own C API: the loader that TensorFlow Serving uses.

The library is the one in the installed wheel, called by ctypes; nothing of
TensorFlow's Python takes part in loading or running.
"""

from __future__ import annotations

import ctypes
import importlib.util
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import prediction_log_pb2

from lensdetect.artifact import load_detector

_TF_FLOAT = 1
_TF_OK = 0


class Buffer(ctypes.Structure):
    """TF_Buffer of tensorflow/c/tf_buffer.h."""

    _fields_ = [("data", ctypes.c_void_p), ("length", ctypes.c_size_t), ("deallocator", ctypes.c_void_p)]


class Output(ctypes.Structure):
    """TF_Output of tensorflow/c/c_api.h."""

    _fields_ = [("operation", ctypes.c_void_p), ("index", ctypes.c_int)]


_POINTER, _INT, _TEXT = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
# Function -> type of the result and of the arguments.
_PROTOTYPES = {
    "TF_NewStatus": (_POINTER, ()),
    "TF_GetCode": (_INT, (_POINTER,)),
    "TF_Message": (_TEXT, (_POINTER,)),
    "TF_NewSessionOptions": (_POINTER, ()),
    "TF_NewGraph": (_POINTER, ()),
    "TF_NewBuffer": (ctypes.POINTER(Buffer), ()),
    "TF_LoadSessionFromSavedModel": (
        _POINTER,
        (_POINTER, _POINTER, _TEXT, ctypes.POINTER(_TEXT), _INT, _POINTER, ctypes.POINTER(Buffer), _POINTER),
    ),
    "TF_GraphOperationByName": (_POINTER, (_POINTER, _TEXT)),
    "TF_AllocateTensor": (_POINTER, (_INT, ctypes.POINTER(ctypes.c_int64), _INT, ctypes.c_size_t)),
    "TF_TensorData": (_POINTER, (_POINTER,)),
    "TF_NumDims": (_INT, (_POINTER,)),
    "TF_Dim": (ctypes.c_int64, (_POINTER, _INT)),
    "TF_SessionRun": (
        None,
        (
            *(_POINTER, _POINTER),
            *(ctypes.POINTER(Output), ctypes.POINTER(_POINTER), _INT),
            *(ctypes.POINTER(Output), ctypes.POINTER(_POINTER), _INT),
            *(_POINTER, _INT, _POINTER, _POINTER),
        ),
    ),
    "TF_CloseSession": (None, (_POINTER, _POINTER)),
    "TF_DeleteSession": (None, (_POINTER, _POINTER)),
    "TF_DeleteSessionOptions": (None, (_POINTER,)),
    "TF_DeleteGraph": (None, (_POINTER,)),
    "TF_DeleteBuffer": (None, (ctypes.POINTER(Buffer),)),
    "TF_DeleteTensor": (None, (_POINTER,)),
    "TF_DeleteStatus": (None, (_POINTER,)),
}


@pytest.fixture(scope="session")
def c_api() -> ctypes.CDLL:
    folder = Path(importlib.util.find_spec("tensorflow").origin).parent
    (path,) = folder.glob("libtensorflow_cc*")
    library = ctypes.CDLL(str(path))
    for name, (result, arguments) in _PROTOTYPES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class Server:
    """A SavedModel in a session of the C API, under the tag "serve"."""

    def __init__(self, library: ctypes.CDLL, folder: Path):
        self.library = library
        self.status = library.TF_NewStatus()
        self.graph = library.TF_NewGraph()
        options, meta_graph = library.TF_NewSessionOptions(), library.TF_NewBuffer()
        tags = (_TEXT * 1)(b"serve")
        self.session = library.TF_LoadSessionFromSavedModel(
            options, None, str(folder).encode(), tags, 1, self.graph, meta_graph, self.status
        )
        self.check()
        content = ctypes.string_at(meta_graph.contents.data, meta_graph.contents.length)
        self.signatures = meta_graph_pb2.MetaGraphDef.FromString(content).signature_def
        library.TF_DeleteBuffer(meta_graph)
        library.TF_DeleteSessionOptions(options)

    def check(self) -> None:
        if self.library.TF_GetCode(self.status) != _TF_OK:
            raise RuntimeError(self.library.TF_Message(self.status).decode())

    def output(self, tensor_name: str) -> Output:
        name, _, index = tensor_name.partition(":")
        return Output(self.library.TF_GraphOperationByName(self.graph, name.encode()), int(index))

    def run(self, signature: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        definition = self.signatures[signature]
        names = list(definition.outputs)
        tensors = [self._tensor(array) for array in inputs.values()]
        results = (_POINTER * len(names))()
        self.library.TF_SessionRun(
            *(self.session, None),
            (Output * len(inputs))(*(self.output(definition.inputs[name].name) for name in inputs)),
            *((_POINTER * len(inputs))(*tensors), len(inputs)),
            (Output * len(names))(*(self.output(definition.outputs[name].name) for name in names)),
            *(results, len(names), None, 0, None, self.status),
        )
        self.check()
        arrays = {name: self._array(tensor) for name, tensor in zip(names, results, strict=True)}
        for tensor in (*tensors, *results):
            self.library.TF_DeleteTensor(tensor)
        return arrays

    def _tensor(self, array: np.ndarray) -> int:
        shape = (ctypes.c_int64 * array.ndim)(*array.shape)
        tensor = self.library.TF_AllocateTensor(_TF_FLOAT, shape, array.ndim, array.nbytes)
        ctypes.memmove(self.library.TF_TensorData(tensor), array.tobytes(), array.nbytes)
        return tensor

    def _array(self, tensor: int) -> np.ndarray:
        shape = [self.library.TF_Dim(tensor, axis) for axis in range(self.library.TF_NumDims(tensor))]
        content = ctypes.string_at(self.library.TF_TensorData(tensor), 4 * int(np.prod(shape)))
        return np.frombuffer(content, np.float32).reshape(shape)

    def close(self) -> None:
        self.library.TF_CloseSession(self.session, self.status)
        self.library.TF_DeleteSession(self.session, self.status)
        self.library.TF_DeleteGraph(self.graph)
        self.library.TF_DeleteStatus(self.status)


@pytest.fixture
def server(c_api, saved):
    server = Server(c_api, saved)
    yield server
    server.close()


def warmup_requests(folder: Path) -> list:
    records = tf.data.TFRecordDataset(str(folder / "assets.extra" / "tf_serving_warmup_requests"))
    return [
        prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
        for record in records.as_numpy_iterator()
    ]


def test_warmup_requests_are_answered_as_by_the_scorer(server, saved, card):
    scorer = load_detector(saved)
    requests = warmup_requests(saved)
    assert [request.model_spec.signature_name for request in requests] == ["serving_default", "embed"]
    for request in requests:
        assert request.model_spec.name == "arcformer_test-bologna"
        cutouts = tf.make_ndarray(request.inputs["cutouts"])
        assert cutouts.shape == (2, card.size, card.size, 4)
        np.testing.assert_allclose(cutouts.std(axis=(0, 1, 2)), [band.noise_sigma for band in card.bands], rtol=0.1)
        answer = server.run(request.model_spec.signature_name, {"cutouts": cutouts})
        if request.model_spec.signature_name == "embed":
            assert list(answer) == ["embedding"]
            np.testing.assert_allclose(answer["embedding"], scorer.embed(cutouts), rtol=1e-5, atol=1e-5)
        else:
            scores = scorer(cutouts)
            assert set(answer) == {"logit", "probability"}
            np.testing.assert_allclose(answer["logit"], scores.logit, atol=1e-5)
            np.testing.assert_allclose(answer["probability"], scores.probability, atol=1e-5)


def test_batches_of_any_size_are_answered(server, saved, cutouts):
    expected = load_detector(saved)(cutouts).logit
    assert np.ptp(expected) > 1e-3
    for count in (1, 7, 10):
        answer = server.run("serving_default", {"cutouts": cutouts[:count]})
        np.testing.assert_allclose(answer["logit"], expected[:count], atol=1e-5)


def test_folder_without_a_graph_does_not_load(c_api, copied):
    (copied / "saved_model.pb").unlink()
    with pytest.raises(RuntimeError, match="Could not find SavedModel"):
        Server(c_api, copied)
