<?php
/**
 * Prints what PHP sees of the extension, one line a member and always in the same order, so that a change of the public face shows in a diff.
 */

declare(strict_types=1);

/** A type as it would be written in PHP. */
function written(?ReflectionType $type): string
{
    return $type === null ? 'untyped' : (string) $type;
}

foreach (['Halt\\Tracker\\Engine', 'Halt\\Tracker\\Exception'] as $name) {
    $class  = new ReflectionClass($name);
    $parent = $class->getParentClass();
    $flags  = array_filter(['final' => $class->isFinal(), 'abstract' => $class->isAbstract(), 'internal' => $class->isInternal(), 'instantiable' => $class->isInstantiable()]);
    echo 'class ', $name, $parent ? ' extends ' . $parent->getName() : '', ' [', implode(' ', array_keys($flags)), "]\n";
    $interfaces = $class->getInterfaceNames();
    sort($interfaces);
    echo '  implements ', implode(', ', $interfaces) ?: 'nothing', "\n";
    $own       = static fn ($member): bool => $member->getDeclaringClass()->getName() === $name;
    $constants = array_filter($class->getReflectionConstants(), $own);
    usort($constants, static fn ($one, $other): int => strcmp($one->getName(), $other->getName()));
    foreach ($constants as $constant) {
        echo '  const ', $constant->getName(), ' = ', json_encode($constant->getValue()), "\n";
    }
    $properties = array_filter($class->getProperties(), $own);
    usort($properties, static fn ($one, $other): int => strcmp($one->getName(), $other->getName()));
    foreach ($properties as $property) {
        echo '  ', implode(' ', Reflection::getModifierNames($property->getModifiers())), ' ', written($property->getType()), ' $', $property->getName(), "\n";
    }
    $methods = array_filter($class->getMethods(), $own);
    usort($methods, static fn ($one, $other): int => strcmp($one->getName(), $other->getName()));
    foreach ($methods as $method) {
        $parameters = array_map(static function (ReflectionParameter $parameter): string {
            $text = written($parameter->getType()) . ' ' . ($parameter->isPassedByReference() ? '&' : '') . ($parameter->isVariadic() ? '...' : '') . '$' . $parameter->getName();
            return $text . ($parameter->isOptional() ? ' = optional' : '');
        }, $method->getParameters());
        echo '  ', implode(' ', Reflection::getModifierNames($method->getModifiers())), ' ', $method->getName(), '(', implode(', ', $parameters), '): ', written($method->getReturnType()), "\n";
    }
}
