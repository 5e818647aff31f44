/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "front/bus-text.h"

#include <errno.h>
#include <stdarg.h>

#include "base/printable.h"

static int append_text(sd_bus_message *m, const char *text)
{
    CLEANUP_FREE char *clean = printable_copy(text ? text : "");

    return clean ? sd_bus_message_append_basic(m, 's', clean) : -ENOMEM;
}

/* Structures are written member by member; they do not nest. */
static int append_value(sd_bus_message *m, const char *type, va_list *args)
{
    char content[16];
    union {
        uint32_t u;
        uint64_t t;
    } value;

    switch (*type) {
    case '(':
        snprintf(content, sizeof(content), "%.*s", (int)strcspn(type + 1, ")"), type + 1);
        return sd_bus_message_open_container(m, 'r', content);
    case ')':
        return sd_bus_message_close_container(m);
    case 's':
        return append_text(m, va_arg(*args, const char *));
    case 'o': /* made by sd_bus_path_encode() */
        return sd_bus_message_append_basic(m, 'o', va_arg(*args, const char *));
    case 't':
        value.t = va_arg(*args, uint64_t);
        return sd_bus_message_append_basic(m, 't', &value);
    default: /* b, i, u */
        value.u = va_arg(*args, uint32_t);
        return sd_bus_message_append_basic(m, *type, &value);
    }
}

int bus_append(sd_bus_message *m, const char *types, ...)
{
    va_list args;
    int r = 0;

    va_start(args, types);
    for (; r >= 0 && *types; types++)
        r = append_value(m, types, &args);
    va_end(args);
    return r < 0 ? r : 0;
}

static char *printable_format(const char *format, va_list args) PRINTF(1, 0);

static char *printable_format(const char *format, va_list args)
{
    CLEANUP_FREE char *text = NULL;

    if (vasprintf(&text, format, args) < 0) {
        text = NULL;
        return NULL;
    }
    return printable_copy(text);
}

int bus_append_format(sd_bus_message *m, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    CLEANUP_FREE char *text = printable_format(format, args);
    va_end(args);
    return text ? sd_bus_message_append_basic(m, 's', text) : -ENOMEM;
}

int bus_append_words(sd_bus_message *m, const char *text)
{
    CLEANUP_FREE char *copy = strdup(text);
    char *save = NULL;
    int r = copy ? sd_bus_message_open_container(m, 'a', "s") : -ENOMEM;

    for (char *w = copy ? strtok_r(copy, " ", &save) : NULL; r >= 0 && w;
         w = strtok_r(NULL, " ", &save))
        r = append_text(m, w);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

int bus_error(sd_bus_error *e, const char *name, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    CLEANUP_FREE char *text = printable_format(format, args);
    va_end(args);
    return sd_bus_error_set(e, name, text ? text : "out of memory");
}

int bus_reply_error(sd_bus_message *call, const char *name, const char *format, ...)
{
    CLEANUP(sd_bus_error_free) sd_bus_error e = SD_BUS_ERROR_NULL;
    va_list args;

    va_start(args, format);
    CLEANUP_FREE char *text = printable_format(format, args);
    va_end(args);
    (void)sd_bus_error_set(&e, name, text ? text : "out of memory");
    return sd_bus_reply_method_error(call, &e);
}
