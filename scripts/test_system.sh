#!/usr/bin/env bash
# The system packages that the tests run against. Missing ones are installed when root, else named, and the tests stop:
# a journey that was silently skipped is a promise nobody kept.
set -euo pipefail

# What must be there | Debian or Ubuntu package that brings it
needed="
command:Orthanc | orthanc
file:/usr/share/orthanc/plugins/libOrthancDicomWeb.so | orthanc-dicomweb
command:storescu | dcmtk
command:dciodvfy | dicom3tools
file:/usr/share/java/pixelmed.jar | pixelmed-apps
command:java | default-jre-headless
command:node | nodejs
command:npm | npm
command:strace | strace
command:ip | iproute2
command:unshare | util-linux
command:systemd-analyze | systemd
"

missing_packages() {
    local what package
    while IFS='|' read -r what package; do
        what=${what// /} package=${package// /}
        case $what in
            command:*) command -v "${what#command:}" >/dev/null || echo "$package" ;;
            file:*) [ -e "${what#file:}" ] || echo "$package" ;;
        esac
    done <<<"$needed"
}

mapfile -t missing < <(missing_packages)
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "The tests need these system packages: ${missing[*]}" >&2
    echo "Install them as root: apt-get install --no-install-recommends ${missing[*]}   (or: sudo make test-system)" >&2
    exit 1
fi

command -v apt-get >/dev/null || { echo "No apt-get here. Install by hand what brings: ${missing[*]}" >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends "${missing[@]}"

mapfile -t missing < <(missing_packages)
[ ${#missing[@]} -eq 0 ] || { echo "Installed, yet still not found: ${missing[*]}" >&2; exit 1; }
