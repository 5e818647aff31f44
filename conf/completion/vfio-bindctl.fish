# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for vfio-bindctl(1). Verbs come from its --help.

# The verb on the command line, if there is one already.
function __fish_vfio_bindctl_verb
    set -l before ''
    for word in (commandline -opc)[2..-1]
        switch $before
            case --root --host -H --policy --output -o --timeout --state --driver --class --name --confirm --patch --template --count --resource --namespace --variant
            case '*'
                string match -q -- '-*' $word
                or begin
                    echo $word
                    return 0
                end
        end
        set before $word
    end
    return 1
end

# Is the verb one of these?
function __fish_vfio_bindctl_is
    contains -- (__fish_vfio_bindctl_verb) $argv
end

function __fish_vfio_bindctl_verbs
    vfio-bindctl help 2>/dev/null | sed -n '/^  status /,/^  help /s/^  \([a-z-]*\)  *\(\[*[A-Z][^ ]*\( \[-\]\)*\)*  *\(.*\)/\1\t\4/p'
end

# What --root and -H say of which host.
function __fish_vfio_bindctl_pass
    set -l before ''
    for word in (commandline -opc)
        switch $before
            case --root --host -H
                printf '%s\n' $before $word
        end
        string match -r -- '^(?:--root=|--host=|-H.).*' $word
        set before $word
    end
end

function __fish_vfio_bindctl_devices
    set -l pass (__fish_vfio_bindctl_pass)
    set -l verb (__fish_vfio_bindctl_verb)
    set -l all
    contains -- $verb bind release
    and set all --all
    COLUMNS=0 vfio-bindctl $pass --quiet --no-legend list $all 2>/dev/null </dev/null | begin
        if contains -- $verb add is-usable
            string match -rv '(?:Host|ISA|PCI|CardBus) bridge\)?$'
        else
            cat
        end
    end | string replace -r '^(\S+)\s+(\S+)\s+(.*)' '$1\t$2 $3'
    vfio-bindctl $pass --quiet cat-config 2>/dev/null | string replace -rf '^\[device ([^]]*)\].*' '$1\trule'
end

# An option is offered for the verbs that take it.
function __fish_vfio_bindctl_option
    set -l verbs $argv[1]
    test -n "$verbs"
    and set -l when -n "__fish_vfio_bindctl_is $verbs"
    complete -c vfio-bindctl $when $argv[2..-1]
end

complete -c vfio-bindctl -f
complete -c vfio-bindctl -n 'not __fish_vfio_bindctl_verb >/dev/null' -a '(__fish_vfio_bindctl_verbs)'
complete -c vfio-bindctl -n '__fish_vfio_bindctl_is help' -a '(__fish_vfio_bindctl_verbs)'
complete -c vfio-bindctl -n '__fish_vfio_bindctl_is export' -a 'kubevirt hco capk nfd prometheus butane talos modprobe libvirt'
complete -c vfio-bindctl -n '__fish_vfio_bindctl_is verify apply' -F
complete -c vfio-bindctl -n '__fish_vfio_bindctl_is list show explain is-usable bind release add remove' -a '(__fish_vfio_bindctl_devices)'
complete -c vfio-bindctl -s q -l quiet -d 'no notes'
complete -c vfio-bindctl -l root -r -F -d 'another tree, or a report'
complete -c vfio-bindctl -s H -l host -x -a '(__fish_print_hostnames)' -d 'the vfio-bindd of another host'
complete -c vfio-bindctl -l no-pager -d 'no effect; there is no pager'
complete -c vfio-bindctl -s h -l help -d help
complete -c vfio-bindctl -l version -d 'the version'
__fish_vfio_bindctl_option 'status list tree show explain plan import check cat-config is-usable monitor' -s j -l json -d 'print JSON'
__fish_vfio_bindctl_option 'status list tree' -l no-legend -d 'tables without headings'
__fish_vfio_bindctl_option 'list show explain is-usable bind release remove' -l all -d 'all that rules select'
__fish_vfio_bindctl_option list -l state -x -a 'pending bound refused busy failed stuck released contested native' -d 'only devices in this state'
__fish_vfio_bindctl_option list -l driver -x -a 'none vfio-pci' -d 'only devices on this driver'
__fish_vfio_bindctl_option list -l class -x -d 'only devices of this class'
__fish_vfio_bindctl_option apply -l confirm -x -d 'take the policy back unless it is confirmed by then'
__fish_vfio_bindctl_option add -l name -x -d 'the name of the rule'
__fish_vfio_bindctl_option add -l force -d 'also a device that the host uses'
__fish_vfio_bindctl_option 'add remove apply' -s y -l yes -d 'do not ask'
__fish_vfio_bindctl_option 'plan export' -l policy -r -F -d 'with this file as the main policy file'
__fish_vfio_bindctl_option plan -l verbose -d 'each step'
__fish_vfio_bindctl_option wait -l timeout -x -d 'give up after so long'
__fish_vfio_bindctl_option report -s o -l output -r -F -d 'the file to write'
__fish_vfio_bindctl_option export -l strict -d 'treat what cannot be expressed as an error'
__fish_vfio_bindctl_option export -l patch -x -a 'merge json kustomize' -d 'as a patch'
__fish_vfio_bindctl_option export -l template -x -d 'capk: the template to patch, or its new name'
__fish_vfio_bindctl_option export -l count -x -d 'capk: devices for each virtual machine'
__fish_vfio_bindctl_option export -l resource -x -d 'capk: of this resource'
__fish_vfio_bindctl_option export -l namespace -x -d 'kubevirt, hco: where the object is'
__fish_vfio_bindctl_option export -l variant -x -a 'fcos flatcar openshift v1 v1beta1' -d 'butane, hco: for which system or version'
functions -e __fish_vfio_bindctl_option
