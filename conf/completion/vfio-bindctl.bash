# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for vfio-bindctl(1). Verbs, and the options that a verb takes, come from its --help.

# The rules and devices that a verb could be about, one a line. "pass" are the options which say of what host.
_vfio_bindctl_devices() { # VERB
    local which='' program=(vfio-bindctl)
    # ssh must not ask for a password here
    [[ " ${pass[*]} " != *' -H '* ]] || program=(setsid -w vfio-bindctl)
    [[ $1 != bind && $1 != release ]] || which=--all
    COLUMNS=0 "${program[@]}" "${pass[@]}" --quiet --no-legend list $which 2>/dev/null </dev/null |
        awk '!/[ (](Host|ISA|PCI|CardBus) bridge\)?$/ || verb !~ /^(add|is-usable)$/ { print $1; print $2 }' verb="$1" | sort -u
    "${program[@]}" "${pass[@]}" --quiet cat-config 2>/dev/null </dev/null | sed -n 's/^\[device \([^]]*\)\].*/\1/p'
}

_vfio_bindctl() {
    local line=${COMP_LINE:0:COMP_POINT} cur='' before='' verb='' word option='' breaks reply='' words pass=()
    local valued=' --root --host -H --policy --output -o --timeout --state --driver --class --name --confirm
        --patch --template --count --resource --namespace --variant '

    # Addresses hold colons and --root=PATH an equal sign, at which readline splits words.
    read -r -a words <<<"$line"
    if [[ $line != *[[:space:]] ]]; then
        cur=${words[-1]}
        unset 'words[-1]'
    fi
    # The first word that is neither an option nor an option's value; what --root and -H are.
    for word in "${words[@]:1}"; do
        if [[ -n $before ]]; then
            case $before in
            --root) pass+=(--root "$word") ;;
            --host | -H) pass+=(-H "$word") ;;
            esac
            before=''
        elif [[ $valued == *[[:space:]]"$word"[[:space:]]* ]]; then
            before=$word
        else
            case $word in
            --root=*) pass+=(--root "${word#*=}") ;;
            --host=*) pass+=(-H "${word#*=}") ;;
            -H?*) pass+=(-H "${word#-H}") ;;
            -*) ;;
            *) verb=${verb:-$word} ;;
            esac
        fi
    done
    option=$before
    [[ $cur != --*=* ]] || option=${cur%%=*}
    local value=$cur
    [[ $cur != --*=* ]] || value=${cur#*=}

    case $option in
    --root | --policy | --output | -o)
        mapfile -t COMPREPLY < <(compgen -f -- "$value")
        compopt -o filenames 2>/dev/null
        return
        ;;
    --host | -H) reply=$(compgen -A hostname) ;;
    --state) reply='pending bound refused busy failed stuck released contested native' ;;
    --driver)
        reply="none vfio-pci $(COLUMNS=0 vfio-bindctl "${pass[@]}" --quiet -j list 2>/dev/null </dev/null |
            sed -n 's/^ *"driver": "\(.*\)",*$/\1/p')"
        ;;
    --patch) reply='merge json kustomize' ;;
    --variant) reply='fcos flatcar openshift v1 v1beta1' ;;
    --*) return ;;
    *)
        if [[ $cur == -* ]]; then
            reply=$(vfio-bindctl help ${verb:+"$verb"} 2>/dev/null | grep -oE -- '^  (-., |    )--[a-z-]+' | grep -o -- '-.*' | tr -d ,)
        else
            case $verb in
            '' | help) reply=$(vfio-bindctl help 2>/dev/null | sed -n '/^  status /,/^  help /s/^  \([a-z-]*\) .*/\1/p') ;;
            export) reply='kubevirt hco capk nfd prometheus butane talos modprobe libvirt' ;;
            verify | apply)
                mapfile -t COMPREPLY < <(compgen -f -- "$cur")
                compopt -o filenames 2>/dev/null
                return
                ;;
            list | show | explain | is-usable | bind | release | add | remove)
                reply=$(_vfio_bindctl_devices "$verb")
                # the short form of an address, too
                [[ $cur == 0000:* || $cur != *:* ]] || reply+=" $(sed -n 's/^0000://p' <<<"$reply")"
                ;;
            esac
        fi
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$reply" -- "$value")
    # readline keeps what is before the last separator.
    for breaks in : =; do
        [[ $COMP_WORDBREAKS != *$breaks* || $value != *$breaks* ]] || COMPREPLY=("${COMPREPLY[@]#"${value%"$breaks"*}$breaks"}")
    done
}
complete -F _vfio_bindctl vfio-bindctl
