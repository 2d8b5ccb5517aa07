#!/usr/bin/env bash
# Builds the images of all services and of the command, pushes them to a registry, and prints what each is known by there.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  cat <<'END'
usage: deploy/publish-containers.sh --registry host:port --tag v [--base image] [--platforms linux-x64,linux-arm64] [--insecure] [--no-sbom]

  --registry   where to, for instance localhost:5000 or ghcr.io/me
  --tag        of every image, for instance 0.1.0
  --base       an image with the ASP.NET Core 10 runtime; default mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled
  --platforms  default linux-x64,linux-arm64; the base image must have them
  --insecure   the registry speaks HTTP
  --no-sbom    without the list of what is in each
END
}
fail() { printf 'error: %s\n' "$*" >&2; exit 2; }

registry= tag= base= platforms=linux-x64,linux-arm64 insecure=no sbom=yes
while [ $# -gt 0 ]; do
  case $1 in
    --registry) registry=${2:?--registry needs host:port}; shift 2 ;;
    --tag) tag=${2:?--tag needs a version}; shift 2 ;;
    --base) base=${2:?--base needs an image}; shift 2 ;;
    --platforms) platforms=${2:?--platforms needs a list}; shift 2 ;;
    --insecure) insecure=yes; shift ;;
    --no-sbom) sbom=no; shift ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; fail "'$1' is not an option" ;;
  esac
done
[ -n "$registry" ] || { usage >&2; fail "--registry is required"; }
[[ $tag =~ ^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$ ]] || fail "--tag is '$tag'; it must be letters, digits, '.', '_' or '-', at most 128"
[ "$insecure" = no ] || export DOTNET_CONTAINER_INSECURE_REGISTRIES=${registry%%/*}

log=$(mktemp)
lists=$(mktemp -d)
trap 'rm -rf "$log" "$lists"' EXIT
[ "$sbom" = no ] || dotnet tool restore >"$log" 2>&1 || { cat "$log"; fail "the tool that lists what is in an image cannot be had; without the list: --no-sbom"; }

host=${registry%%/*}
prefix=${registry#"$host"}
prefix=${prefix#/}
settings=("-p:ContainerRegistry=$host" "-p:ContainerImageTag=$tag" -p:Version="${tag//[!0-9.]/}")
[[ $tag =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || unset 'settings[2]'
[ -z "$base" ] || settings+=("-p:GalaxyBaseImage=$base")
if [[ $platforms == *,* ]]; then settings+=("-p:RuntimeIdentifiers=\"${platforms//,/;}\"" "-p:ContainerRuntimeIdentifiers=\"${platforms//,/;}\""); else settings+=(-r "$platforms"); fi

for project in Galaxy.Store Galaxy.Coordinator Galaxy.Router Galaxy.OneApi Galaxy.Discovery Galaxy.Gateway Galaxy.Console Galaxy.Cli; do
  image=$(printf '%s' "$project" | LC_ALL=C tr 'A-Z.' 'a-z-')
  extra=("-p:ContainerRepository=${prefix:+$prefix/}$image")
  if [ "$sbom" = yes ]; then
    dotnet CycloneDX "$project/$project.csproj" --output "$lists" --filename "$image.cdx.json" --output-format Json --exclude-dev >"$log" 2>&1 || { cat "$log"; fail "$project: what is in it could not be listed"; }
    extra+=("-p:GalaxySbom=$lists/$image.cdx.json")
  fi
  dotnet publish "$project" -c Release --no-self-contained -t:PublishContainer "${settings[@]}" "${extra[@]}" -nologo >"$log" 2>&1 || { cat "$log"; fail "$image could not be published"; }
  scheme=https
  [ "$insecure" = no ] || scheme=http
  digest=$(curl -fsSI -H 'Accept: application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json' \
    "$scheme://$host/v2/${prefix:+$prefix/}$image/manifests/$tag" 2>/dev/null | tr -d '\r' | LC_ALL=C awk 'tolower($1) == "docker-content-digest:" {print $2}') || true
  printf '%s/%s:%s %s\n' "$registry" "$image" "$tag" "${digest:-(pushed; this registry tells its digest only to whoever is signed in)}"
done
