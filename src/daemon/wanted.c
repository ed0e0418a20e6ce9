#include "daemon/wanted.h"

#include "base/log.h"
#include "base/must.h"

static void find_journal(struct wanted *w, const struct places *places,
			 const char *serves)
{
	char folder[PLACES_FOLDER_MAX];

	*w = (struct wanted){0};
	if (places_state(places, folder, &w->no_journal) == 0)
		w->journal = journal_open(folder, serves);
}

int wanted_look(struct wanted *w, const struct places *places, const char *serves,
		struct err *err)
{
	struct err why;

	find_journal(w, places, serves);
	w->changes = w->journal != NULL ? journal_read_only(w->journal, &why)
					: changes_create();
	if (w->changes != NULL)
		return 0;
	w->changes = changes_create();
	return err_set(err, "the state in %s cannot be used: %s", journal_path(w->journal),
		       why.text);
}

void wanted_open(struct wanted *w, const struct places *places, const char *serves)
{
	find_journal(w, places, serves);
	w->changes = w->journal != NULL ? journal_read(w->journal) : changes_create();
}

void wanted_close(struct wanted *w)
{
	journal_close(w->journal);
	changes_destroy(w->changes);
	model_put(w->file);
	*w = (struct wanted){0};
}

void wanted_draft_file(const struct wanted *w, struct model *file, struct draft *d)
{
	*d = (struct draft){
		.model = model_copy(file), .file = file,
		.changes = changes_copy(w->changes),
	};
	changes_apply(d->changes, d->model, &d->caught_up);
}

static void draft_fini(struct draft *d)
{
	model_put(d->model);
	model_put(d->file);
	changes_destroy(d->changes);
	*d = (struct draft){0};
}

enum change_fault wanted_draft_change(const struct wanted *w, const struct model *now,
				      const struct change *c, struct draft *d,
				      struct err *err)
{
	*d = (struct draft){.model = model_copy(now)};

	enum change_fault fault = change_apply(d->model, c, err);
	if (fault == CHANGE_FINE) {
		model_get(w->file);
		d->file = w->file;
		d->changes = changes_copy(w->changes);
		fault = changes_note(d->changes, d->file, c, err);
	}
	if (fault != CHANGE_FINE)
		draft_fini(d);
	return fault;
}

struct model *draft_take(struct draft *d)
{
	struct model *m = d->model;

	d->model = NULL;
	return m;
}

int wanted_keep(struct wanted *w, struct draft *d, struct err *err)
{
	if (w->journal == NULL) {
		*err = w->no_journal;
		return -1;
	}
	if (journal_write(w->journal, d->changes, err) != 0)
		return -1;
	d->kept = true;
	return 0;
}

void wanted_adopt(struct wanted *w, struct draft *d)
{
	must(d->model == NULL);		/* it is in force */
	model_put(w->file);
	changes_destroy(w->changes);
	w->file = d->file;
	w->changes = d->changes;
	*d = (struct draft){0};
}

void wanted_refuse(struct wanted *w, struct draft *d)
{
	struct err err;

	if (d->kept && journal_write(w->journal, w->changes, &err) != 0)
		log_error("the state has a change that was not made, and a restart will "
			  "make it: %s", err.text);
	draft_fini(d);
}
