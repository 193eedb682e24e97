# The demo on a CPU. Not built in this project's tests.
#   docker build -t limr . && docker run --rm -v limr-results:/study/results limr
# Environments of studies on GPUs are envs/train.def and envs/evaluate.def (Apptainer).
FROM python:3.11-slim-bookworm

# An index with PyTorch's builds without CUDA; without one the full build is taken, some GB.
ARG TORCH_INDEX=""
WORKDIR /limr
COPY envs/dev.lock envs/torch-cpu.lock envs/torch-cuda.lock envs/
RUN pip install --no-cache-dir --no-deps --require-hashes -r envs/dev.lock && \
    if [ -n "$TORCH_INDEX" ]; then \
        pip install --no-cache-dir --no-deps --require-hashes --only-binary :all: \
            --extra-index-url "$TORCH_INDEX" -r envs/torch-cpu.lock; \
    else \
        pip install --no-cache-dir --no-deps --require-hashes --only-binary :all: \
            -r envs/torch-cuda.lock; \
    fi
COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation . && \
    useradd --create-home reader && mkdir -p /study/results && chown -R reader /study

USER reader
WORKDIR /study
ENTRYPOINT ["limr"]
CMD ["run", "demo"]
