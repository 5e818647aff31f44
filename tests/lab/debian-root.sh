# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes roots of Debian releases from the host's own Debian sources. Sourced; the caller sets
#   codename        the release wanted
#   host_codename   the host's
#   work            a folder for what is needed meanwhile
# and has die().

# What the releases are called in the archive.
# shellcheck disable=SC2034 # for the caller
declare -A codenames=([12]=bookworm [13]=trixie [testing]=forky)

# The host's Debian archives, a line each as in sources.list, and nothing else's; with
# the suites of another release, as far as it has them.
debian_sources() {
    local uri suite component name key=/usr/share/keyrings/debian-archive-keyring.gpg
    [[ -f $key ]] || key=
    # shellcheck disable=SC2016 # for apt-get to expand
    apt-get indextargets --format \
        '$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)' 'Created-By: Packages' |
        sed -n 's/^Debian|//p' | sort -u |
        while IFS='|' read -r uri suite component; do
            name=${suite%%[-/]*}
            [[ $name == "$host_codename" || $name == stable ]] || continue
            suite=$codename${suite#"$name"}
            if [[ $codename != "$host_codename" ]] && ! has_suite "${uri%/}" "$suite"; then
                echo "image: without $suite, which is not there" >&2
                continue
            fi
            echo "deb ${key:+[signed-by=$key] }$uri $suite $component"
        done
}

has_suite() { # URI SUITE
    /usr/lib/apt/apt-helper -o APT::Sandbox::User=root \
        download-file "$1/dists/$2/InRelease" "$work/InRelease" >/dev/null 2>&1 </dev/null
}

# Makes a root with some packages.
make_root() { # DIR MMDEBSTRAP-OPTION…
    local root=$1 lines sources=()
    shift
    mapfile -t sources < <(debian_sources)
    lines=$(printf '%s\n' "${sources[@]}")
    [[ $lines == *" $codename "* ]] || die "the host has no Debian sources with $codename"

    # What the host needs to reach its archives (proxies, checks), it needs here.
    apt-config dump | grep '^Acquire::' >"$work/apt.conf" || true

    # An archive between releases may not have been signed for a while.
    mmdebstrap --quiet --mode=root --variant=essential \
        --aptopt="$work/apt.conf" --aptopt='Acquire::Check-Valid-Until "false"' \
        --dpkgopt=force-unsafe-io \
        --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        "$@" "$codename" "$root" "${sources[@]}" >&2
}
