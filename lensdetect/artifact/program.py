"""What the program in a detector's folder may do: compute, and nothing else.

A SavedModel is a program, and TensorFlow has operations that read and write
files. Hashes do not help: they come with the folder. So the operations of a
graph are held against those that the package's own networks are made of before
TensorFlow is given the folder; weights and their names are data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from lensdetect.errors import ArtifactError

#: What networks compute with. A test saves every network of the zoo and compares.
COMPUTING = frozenset(
    """
    Abs AddN AddV2 All Any ArgMax Asinh AvgPool BatchMatMulV2 BiasAdd BroadcastTo Cast ConcatV2 Const Conv2D Cumsum
    DepthwiseConv2dNative DisableCopyOnRead Einsum Elu Equal Erf Erfc Exp ExpandDims Expm1 Fill Floor FloorDiv
    FloorMod FusedBatchNormV3 GatherV2 Greater GreaterEqual Identity IdentityN IsFinite IsNan L2Loss LeakyRelu Less
    LessEqual Log Log1p LogicalAnd LogicalNot LogicalOr LogSoftmax MatMul Max MaxPool Maximum Mean Min Minimum MirrorPad
    Mul Neg NoOp NotEqual OnesLike Pack Pad PadV2 PartitionedCall Placeholder Pow Prod Range ReadVariableOp RealDiv
    Reciprocal
    Relu Relu6 Reshape ReverseV2 Roll Rsqrt Select SelectV2 Selu Shape Sigmoid Sign Slice Softmax Softplus Softsign
    Split SplitV Sqrt Square SquaredDifference Squeeze StatefulPartitionedCall StopGradient StridedSlice StringJoin
    Sub Sum Tanh Tile TopKV2 Transpose Unpack VarHandleOp Where ZerosLike
    """.split()
)

#: What reads and writes the folder's own weights; only the two functions that TensorFlow itself adds for that.
_SAVING = frozenset("AssignVariableOp MergeV2Checkpoints RestoreV2 SaveV2 ShardedFilename StaticRegexFullMatch".split())

#: What an object of a SavedModel may be: none of these runs anything when it is loaded.
_OBJECTS = frozenset({"user_object", "variable", "bare_concrete_function", "function", "constant"})
_USER_OBJECTS = frozenset({"_generic_user_object", "trackable_dict_wrapper", "signature_map"})

#: The graphs of the zoo take 1 to 10 MB, the weights lie beside them.
_MOST_BYTES = 200_000_000


def check_program(folder: Path | str) -> None:
    """Refuse a SavedModel that does more than compute.

    Parameters
    ----------
    folder : path
        The SavedModel; it is not loaded.

    Raises
    ------
    ArtifactError
        If it cannot be read, or has an operation, an object or a call that the
        package's own networks do not have; the message names it.
    """
    folder = Path(folder)
    # TensorFlow prefers the one of these forms, or takes the other where there is no .pb.
    others = [name for name in ("saved_model.cpb", "saved_model.pbtxt") if (folder / name).exists()]
    strange = sorted(
        {f"a second program, {name}" for name in others} | set(_problems(_read(folder / "saved_model.pb")))
    )
    if strange:
        raise ArtifactError(
            f"the program in {folder} must do nothing but compute, got {', '.join(strange[:8])}: a model's folder is a "
            "program, and its hashes protect against damage, not against intent; ask who made it, and load it with "
            "--trust-model (trust_model=True) only if you would run any program of theirs"
        )


def _read(path: Path):
    # TensorFlow is loaded here, and not by who only looks at cards.
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel()
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ArtifactError(f"{path} must have at most {_MOST_BYTES:,} bytes, got {path.stat().st_size:,}")
        model.ParseFromString(path.read_bytes())
    except (OSError, DecodeError) as error:
        raise ArtifactError(f"{path} must be a readable SavedModel ({error}): take it from its source again") from error
    if len(model.meta_graphs) != 1:
        raise ArtifactError(f"{path} must hold one graph, got {len(model.meta_graphs)}: save the detector again")
    return model.meta_graphs[0]


def _problems(graph) -> Iterator[str]:
    """What there is beyond computing, in words."""
    functions = {function.signature.name: function.node_def for function in graph.graph_def.library.function}
    savers = {name for name, nodes in functions.items() if any(node.op in _SAVING for node in nodes)}
    for where, nodes in [("", graph.graph_def.node), *functions.items()]:
        allowed = COMPUTING | _SAVING if where in savers else COMPUTING
        yield from (f"operation {node.op}" for node in nodes if node.op not in allowed)
    own = {graph.saver_def.save_tensor_name.partition(":")[0], graph.saver_def.restore_op_name}
    callers = [node for node in graph.graph_def.node if node.name not in own]
    callers += [node for nodes in functions.values() for node in nodes]
    called = {name for node in callers for name in _called(node)} | set(_functions_of_objects(graph))
    yield from (f"a call of {name}, which reads or writes files" for name in savers & called)
    if len(graph.graph_def.library.gradient):
        yield "a gradient of its own"
    if len(graph.asset_file_def):
        yield "files of its own (assets)"
    yield from _objects(graph.object_graph_def.nodes)


def _called(node) -> Iterator[str]:
    for value in node.attr.values():
        for function in [value.func, *value.list.func]:
            if function.name:
                yield function.name


def _functions_of_objects(graph) -> Iterator[str]:
    yield from graph.object_graph_def.concrete_functions
    for node in graph.object_graph_def.nodes:
        yield node.bare_concrete_function.concrete_function_name
        yield from node.function.concrete_functions


def _objects(nodes: Iterable) -> Iterator[str]:
    if not len(nodes):
        yield "a graph without objects, as TensorFlow 1 wrote it"
    for node in nodes:
        kind = node.WhichOneof("kind")
        if kind not in _OBJECTS:
            yield f"an object of kind {kind}"
        elif kind == "user_object" and node.user_object.identifier not in _USER_OBJECTS:
            yield f"an object {node.user_object.identifier}"
        if node.registered_name or node.registered_saver:
            yield f"a registered object {node.registered_name or node.registered_saver}"
