/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/resource.h"

#include <ctype.h>
#include <stdio.h>

#include "base/util.h"

/* The domain for vendors without a device plugin of their own. */
#define OTHER_DOMAIN "vfio-bindd.local"

static bool is_lower_alnum(char c)
{
    return islower((unsigned char)c) || isdigit((unsigned char)c);
}

/* Labels of lower-case letters, digits and '-', joined by dots; at least two labels. */
static bool domain_is_valid(const char *s, size_t n)
{
    size_t dots = 0;

    for (size_t i = 0; i < n; i++) {
        bool inside = i > 0 && i + 1 < n;
        bool edge = !inside || s[i - 1] == '.' || s[i + 1] == '.';
        if (s[i] == '.' ? !inside || s[i - 1] == '.'
                        : !is_lower_alnum(s[i]) && (s[i] != '-' || edge))
            return false;
        dots += s[i] == '.';
    }
    return dots > 0;
}

bool resource_is_valid(const char *name)
{
    const char *slash = strchr(name, '/');
    size_t n = strlen(name);

    if (!slash || slash[1] == '\0' || n > RESOURCE_NAME_MAX || after_prefix(name, "requests.") ||
        !domain_is_valid(name, (size_t)(slash - name)))
        return false;
    for (const char *s = slash + 1; *s; s++)
        if (!is_name_char(*s))
            return false;
    return isalnum((unsigned char)slash[1]) && isalnum((unsigned char)name[n - 1]);
}

bool resource_is_reserved(const char *name)
{
    static const char reserved[] = "kubernetes.io";
    const char *slash = strchr(name, '/');
    size_t n = strlen(reserved), domain = slash ? (size_t)(slash - name) : 0;

    return domain >= n && strncmp(slash - n, reserved, n) == 0 &&
           (domain == n || slash[-(ptrdiff_t)n - 1] == '.');
}

bool resource_collides(const char *a, const char *b)
{
    if (streq(a, b))
        return false;
    for (; *a && *b; a++, b++) {
        int x = *a == '/' || *a == '.' ? '_' : toupper((unsigned char)*a);
        int y = *b == '/' || *b == '.' ? '_' : toupper((unsigned char)*b);
        if (x != y)
            return false;
    }
    return *a == *b;
}

const char *resource_domain(uint16_t vendor)
{
    switch (vendor) {
    case 0x10de:
        return "nvidia.com";
    case 0x1002:
        return "amd.com";
    case 0x8086:
        return "intel.com";
    default:
        return NULL;
    }
}

/* Writes the model in upper case. '/', '.' and runs of blanks become '_'; other characters that are
 * not letters, digits or '_' are dropped. Returns the length. */
static size_t form_name(const char *model, char *buf, size_t size)
{
    size_t n = 0;

    for (; *model && n < size; model++) {
        unsigned char c = (unsigned char)*model;
        if (isspace(c) && isspace((unsigned char)model[1]))
            continue;
        if (c == '/' || c == '.' || isspace(c))
            buf[n++] = '_';
        else if (c < 0x80 && (isalnum(c) || c == '_'))
            buf[n++] = (char)toupper(c);
    }
    return n;
}

void resource_default(uint16_t vendor, uint16_t device, const char *model,
                      char buf[static RESOURCE_NAME_MAX + 1])
{
    const char *domain = resource_domain(vendor);
    size_t start =
        (size_t)snprintf(buf, RESOURCE_NAME_MAX + 1, "%s/", domain ? domain : OTHER_DOMAIN);
    char *name = buf + start;
    size_t n = model ? form_name(model, name, RESOURCE_NAME_MAX - start) : 0;

    while (n > 0 && name[n - 1] == '_') /* Kubernetes does not accept '_' at either end */
        n--;
    name[n] = '\0';
    size_t skip = strspn(name, "_");
    memmove(name, name + skip, n - skip + 1);
    if (!*name && domain)
        snprintf(name, RESOURCE_NAME_MAX + 1 - start, "%04x", device);
    else if (!*name)
        snprintf(name, RESOURCE_NAME_MAX + 1 - start, "%04x_%04x", vendor, device);
}
