// What the fields of a domain file must satisfy together, beyond what each permits by itself.
#pragma once

#include "common/domain/domain_spec.h"
#include "common/domain/problems.h"
#include "common/domain/spec_value.h"

namespace mozgach {

// Reports at the places of `root`, from which `spec` was read.
void CheckDomain(const DomainSpec& spec, const SpecValue& root, Problems* problems);

}  // namespace mozgach
