#!/bin/sh
# Build the image with the container engine of this machine: docker, podman or buildah.
#
#   build_image.sh TAG [FLAG...]        FLAGs go to the engine, as in --build-arg BASE=...
set -eu
cd "$(dirname "$0")/.."
tag=$1
shift
# A client without its server builds nothing.
for engine in docker podman buildah; do
    if "$engine" info >/dev/null 2>&1; then
        revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
        exec "$engine" build --file deploy/Containerfile --tag "$tag" \
            --label "org.opencontainers.image.revision=$revision" "$@" .
    fi
done
echo "No container engine answers here: install podman, docker or buildah, and start its service where it has one." >&2
exit 1
