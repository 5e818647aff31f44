# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for vfio-bindctl(1)
_vfio_bindctl() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb='' word previous='' addresses
    local verbs='status list tree show explain plan suggest import check cat-config edit wait is-usable
        bind release reload rescan monitor report export'
    local options='-j --json --no-legend -q --quiet --root -H --host --policy --timeout -o --output
        --no-pager --strict --patch --template --count --resource --namespace --variant -h --help --version'
    local kinds='kubevirt hco capk nfd prometheus butane talos modprobe'

    case $prev in
    --root | --policy | --output | -o)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        compopt -o filenames 2>/dev/null
        return
        ;;
    --host | -H)
        mapfile -t COMPREPLY < <(compgen -A hostname -- "$cur")
        return
        ;;
    --timeout | --template | --count | --resource | --namespace) return ;;
    --patch)
        mapfile -t COMPREPLY < <(compgen -W 'merge json kustomize' -- "$cur")
        return
        ;;
    --variant)
        mapfile -t COMPREPLY < <(compgen -W 'fcos flatcar openshift v1 v1beta1' -- "$cur")
        return
        ;;
    esac
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
        return
    fi
    # the first word that is neither an option nor an option's value
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case $previous in
        --root | --policy | --output | -o | --host | -H | --timeout | --patch | --template) ;;
        --count | --resource | --namespace | --variant) ;;
        *) [[ $word == -* || -n $verb ]] || verb=$word ;;
        esac
        previous=$word
    done
    case $verb in
    '') mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur") ;;
    export) mapfile -t COMPREPLY < <(compgen -W "$kinds" -- "$cur") ;;
    show | explain | is-usable | bind | release)
        # Addresses hold colons, at which readline splits words.
        if declare -F _get_comp_words_by_ref >/dev/null; then
            _get_comp_words_by_ref -n : cur
        fi
        addresses=$(vfio-bindctl --quiet --no-legend list 2>/dev/null | awk '{ print $1 }')
        mapfile -t COMPREPLY < <(compgen -W "$addresses" -- "$cur")
        # the short form, too
        if [[ ${#COMPREPLY[@]} -eq 0 ]]; then
            mapfile -t COMPREPLY < <(compgen -W "${addresses//0000:/}" -- "$cur")
        fi
        if declare -F __ltrim_colon_completions >/dev/null; then
            __ltrim_colon_completions "$cur"
        fi
        ;;
    esac
}
complete -F _vfio_bindctl vfio-bindctl
