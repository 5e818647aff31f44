/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checkpoint is JSON without blanks: {"Data":{...,"RegisteredDevices":{"a.com/x":["16","17"]}},
 * "Checksum":1}. (kubelet 1.36, pkg/kubelet/cm/devicemanager/checkpoint/checkpoint.go.) Only one
 * object is needed, whose members are lists of strings. So there is no general JSON parser here; a
 * file of any other form is rejected. In a string each quotation mark is preceded by a backslash,
 * so the searched text cannot be part of a string. */
#include "offer/kubelet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define REGISTERED "\"RegisteredDevices\":"

/* Reads a string without escapes; resources and IDs have none. Returns the position after it, or
 * NULL if there is none. */
static const char *read_string(const char *at, const char **ret, size_t *ret_size)
{
    if (*at++ != '"')
        return NULL;
    size_t n = strcspn(at, "\"\\");
    if (at[n] != '"')
        return NULL;
    *ret = at;
    *ret_size = n;
    return at + n + 1;
}

static int take_id(struct kubelet_devices *list, size_t *allocated, const char *id, size_t n)
{
    uint32_t group = 0;

    if (n == 0 || n > 9 || strspn(id, "0123456789") != n) {
        list->others++;
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        group = group * 10 + (uint32_t)(id[i] - '0');
    if (!grow(&list->groups, allocated, list->n, sizeof(*list->groups)))
        return -ENOMEM;
    list->groups[list->n++] = group;
    return 0;
}

/* Reads ["16","17"] or null. If `list` is NULL, the IDs are not kept. */
static int read_ids(const char **at, struct kubelet_devices *list)
{
    size_t allocated = 0, size;
    const char *id, *p = *at, *null = after_prefix(p, "null");

    if (null) {
        *at = null;
        return 0;
    }
    if (*p++ != '[')
        return -EBADMSG;
    while (*p != ']') {
        p = read_string(p, &id, &size);
        if (!p || (*p != ',' && *p != ']') || (*p == ',' && p[1] != '"'))
            return -EBADMSG;
        int r = list ? take_id(list, &allocated, id, size) : 0;
        if (r < 0)
            return r;
        p += *p == ',';
    }
    *at = p + 1;
    return 0;
}

/* Reads {"a.com/x":["16"],...}. Returns whether the resource is there, or negative errno. */
static int read_resources(const char *at, const char *resource, struct kubelet_devices *list)
{
    bool found = false;
    const char *name;
    size_t size;

    if (*at++ != '{')
        return -EBADMSG;
    while (*at != '}') {
        at = read_string(at, &name, &size);
        if (!at || *at++ != ':')
            return -EBADMSG;
        bool wanted = !found && size == strlen(resource) && strncmp(name, resource, size) == 0;
        found = found || wanted;
        int r = read_ids(&at, wanted ? list : NULL);
        if (r < 0)
            return r;
        if (*at != ',' && *at != '}')
            return -EBADMSG;
        at += *at == ',';
    }
    return found;
}

int kubelet_find(const char *checkpoint, const char *resource, struct kubelet_devices *ret)
{
    const char *at = strstr(checkpoint, REGISTERED);
    struct kubelet_devices list = {0};

    if (!at)
        return -EBADMSG;
    at += strlen(REGISTERED);
    int r = after_prefix(at, "null") ? 0 : read_resources(at, resource, &list);
    if (r <= 0)
        free(list.groups);
    else
        *ret = list;
    return r;
}
