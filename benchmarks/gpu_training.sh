#!/usr/bin/env bash
# Train the named detectors on a machine with one GPU, PyTorch or JAX, and neither
# TensorFlow nor a network, within a budget of minutes.
#
#     benchmarks/gpu_training.sh wheels                 before, where there is a network: fills .wheels/
#     benchmarks/gpu_training.sh OUT --minutes 9        there, from a copy of this checkout with .wheels/
#     lensdetect export OUT/arcformer_small             afterwards, where TensorFlow is
#
# Small, on a CPU: benchmarks/gpu_training.sh OUT --minutes 1 --count 200 --size 41 --detectors arcformer_test
# What else may be said: python benchmarks/gpu_training.py --help. PYTHON names the interpreter,
# KERAS_BACKEND the library (default: jax), WHEELS another folder.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
wheels=${WHEELS:-.wheels}
export KERAS_BACKEND=${KERAS_BACKEND:-jax}

# NumPy, SciPy, pandas, pyarrow, h5py, matplotlib and tqdm come with such machines as a rule.
missing_there=(keras absl-py rich markdown-it-py mdurl pygments namex optree ml-dtypes packaging typing-extensions
    astropy pyerfa astropy-iers-data pyyaml)

fetch_wheels() {
    local platforms=() version
    for version in 2014 1 _2_17 _2_27 _2_28; do
        platforms+=(--platform "manylinux${version}_x86_64")
    done
    "$python" -m pip download --quiet --no-deps --only-binary=:all: --python-version 3.12 --implementation cp \
        "${platforms[@]}" --dest "$wheels" "${MORE_WHEELS[@]}" "${missing_there[@]}"
    # From a copy: a build leaves its traces in the checkout.
    local copy
    copy=$(mktemp -d)
    cp -r setup.py setup.cfg README.md LICENSE MANIFEST.in lensdetect models "$copy"
    "$python" -m pip wheel --quiet --no-deps --wheel-dir "$wheels" "$copy"
    rm -rf "$copy"
    du -sh "$wheels"
}

if [ "${1:-}" = wheels ]; then
    # shellcheck disable=SC2206
    MORE_WHEELS=(${MORE_WHEELS:-})
    fetch_wheels
    exit
fi

if [ -d "$wheels" ]; then
    site=$(mktemp -d)
    trap 'rm -rf "$site"' EXIT
    "$python" -m pip install --quiet --no-index --no-deps --no-compile --target "$site" "$wheels"/*.whl
    export PYTHONPATH="$site${PYTHONPATH:+:$PYTHONPATH}"
fi
"$python" benchmarks/gpu_training.py --output "$@"
