// Which models of llama-swap may be loaded together: by its groups, or by its matrix.
//
// Contract   two models are rivals when no order of loading lets both stay. For groups: members of
//            one with `swap`, and members of two groups each of which unloads the other (it is
//            `exclusive` and the other is not `persistent`); who is in no group is in one with
//            both. For a matrix: the two stand in no combination together. What rivals cannot say
//            of groups and of a matrix is a note.
// Domain     at most `import_components_max` models and `combinations_max` combinations.
// Threads    pure. Internal to codec/.
#pragma once

#include <set>
#include <vector>

#include "codec/import_parts.h"

namespace hearth {

inline constexpr std::size_t combinations_max = 1000;

// For each model those before it in the file that it may not stand beside.
using Rivals = std::vector<std::set<std::size_t>>;

// `groups` may be absent.
[[nodiscard]] Rivals rivals_of_groups(const YamlNode* groups, const ComponentNames& names,
                                      ImportNotes& notes);
[[nodiscard]] Rivals rivals_of_matrix(const YamlNode& matrix, const ComponentNames& names,
                                      ImportNotes& notes);

// true, false, and the other spellings that YAML has for them; none for anything else.
[[nodiscard]] std::optional<bool> truth_of(const YamlNode& node);

}  // namespace hearth
