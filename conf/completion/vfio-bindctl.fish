# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for vfio-bindctl(1)
set -l verbs status list tree show explain plan suggest import check cat-config edit wait is-usable bind release reload rescan monitor report export

function __fish_vfio_bindctl_devices
    vfio-bindctl --quiet --no-legend list 2>/dev/null | string replace -r '^(\S+)\s+' '$1\t'
end

complete -c vfio-bindctl -f
complete -c vfio-bindctl -s j -l json -d 'tables as JSON'
complete -c vfio-bindctl -l no-legend -d 'tables without headings'
complete -c vfio-bindctl -s q -l quiet -d 'no notes'
complete -c vfio-bindctl -l root -r -F -d 'another tree, or a report'
complete -c vfio-bindctl -s H -l host -x -a '(__fish_print_hostnames)' -d 'the vfio-bindd of another host'
complete -c vfio-bindctl -l policy -r -F -d 'plan, export: with this file as the main policy file'
complete -c vfio-bindctl -l timeout -x -d 'wait: give up after so long'
complete -c vfio-bindctl -s o -l output -r -F -d 'report: the file to write'
complete -c vfio-bindctl -l strict -d 'export: what cannot be expressed is an error'
complete -c vfio-bindctl -l patch -x -a 'merge json kustomize' -d 'export: as a patch'
complete -c vfio-bindctl -l template -x -d 'export capk: the template to patch, or its new name'
complete -c vfio-bindctl -l count -x -d 'export capk: devices for each virtual machine'
complete -c vfio-bindctl -l resource -x -d 'export capk: of this resource'
complete -c vfio-bindctl -l namespace -x -d 'export kubevirt, hco: where the object is'
complete -c vfio-bindctl -l variant -x -a 'fcos flatcar openshift v1 v1beta1' -d 'export butane, hco: for which system or version'
complete -c vfio-bindctl -l no-pager -d 'accepted; there is no pager'
complete -c vfio-bindctl -s h -l help -d help
complete -c vfio-bindctl -l version -d 'the version'

set -l none "not __fish_seen_subcommand_from $verbs"
complete -c vfio-bindctl -n $none -a status -d 'how things are, and what to do next'
complete -c vfio-bindctl -n $none -a list -d 'all PCI devices with driver, group, rule and state'
complete -c vfio-bindctl -n $none -a tree -d 'IOMMU groups and their members'
complete -c vfio-bindctl -n $none -a show -d 'everything about one device'
complete -c vfio-bindctl -n $none -a explain -d 'which rule decides about a device, and why'
complete -c vfio-bindctl -n $none -a plan -d 'what would be done'
complete -c vfio-bindctl -n $none -a suggest -d 'a ready policy for the devices of this host'
complete -c vfio-bindctl -n $none -a import -d 'a policy made of what binds devices so far'
complete -c vfio-bindctl -n $none -a check -d 'is all there that virtual machines need?'
complete -c vfio-bindctl -n $none -a cat-config -d 'the merged policy with the source of each line'
complete -c vfio-bindctl -n $none -a edit -d 'edit the policy, check it, reload'
complete -c vfio-bindctl -n $none -a wait -d 'wait until vfio-bindd is ready'
complete -c vfio-bindctl -n $none -a is-usable -d 'can a virtual machine have this device?'
complete -c vfio-bindctl -n $none -a bind -d 'take a device (again) that a rule names'
complete -c vfio-bindctl -n $none -a release -d 'hand a device back to its native driver'
complete -c vfio-bindctl -n $none -a reload -d 'read the policy again'
complete -c vfio-bindctl -n $none -a rescan -d 'look at all devices again'
complete -c vfio-bindctl -n $none -a monitor -d 'print changes as they happen'
complete -c vfio-bindctl -n $none -a report -d 'a redacted snapshot for a bug report'
complete -c vfio-bindctl -n $none -a export -d 'policy and devices as others read them'
complete -c vfio-bindctl -n '__fish_seen_subcommand_from export' -a 'kubevirt hco capk nfd prometheus butane talos modprobe'
complete -c vfio-bindctl -n '__fish_seen_subcommand_from show explain is-usable bind release' -a '(__fish_vfio_bindctl_devices)'
